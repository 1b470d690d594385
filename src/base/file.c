/* file.c: owns reading and mapping of files, and writing them so that nobody ever sees half of one. */
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024 };

static hd_status fail_errno(hd_context *ctx, const char *path, const char *doing, int error) {
    char text[128] = "unknown error";
    (void)strerror_r(error, text, sizeof text);
    return hd_fail(ctx, HD_E_FILE, "%s|%s: %s|%s", path, doing, text,
                   error == ENOSPC   ? "Make room on the disk"
                   : error == ENOENT ? "Check the path"
                                     : "");
}

/* Opens a regular file for reading. O_NONBLOCK: a pipe without a writer must not hang us. */
static hd_status open_regular(hd_context *ctx, const char *path, int *fd, size_t *length) {
    struct stat info;
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0) return fail_errno(ctx, path, "can not be opened", errno);
    if (fstat(*fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size < 0) {
        close(*fd);
        return hd_fail(ctx, HD_E_FILE, "%s|a file is expected, this is %s", path,
                       S_ISDIR(info.st_mode) ? "a folder" : "a device, pipe or socket");
    }
    *length = (size_t)info.st_size;
    return HD_OK;
}

hd_status hd_file_read(hd_context *ctx, const char *path, size_t limit, char **out, size_t *length) {
    int fd;
    size_t size = 0, got = 0;
    *out = NULL;
    *length = 0;
    HD_TRY(open_regular(ctx, path, &fd, &size));
    if (limit > 0 && size > limit) {
        char is[32], may[32];
        close(fd);
        return hd_fail(ctx, HD_E_DATA, "%s|at most %s are read here, the file has %s", path,
                       hd_text_bytes(may, (double)limit), hd_text_bytes(is, (double)size));
    }
    char *text = size < SIZE_MAX ? hd_alloc(ctx, size + 1) : NULL;
    if (!text) {
        close(fd);
        return HD_E_MEMORY;
    }
    while (got < size) {
        ssize_t n = read(fd, text + got, size - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int error = errno;
            close(fd);
            hd_free(ctx, text);
            return fail_errno(ctx, path, "can not be read", error);
        }
        if (n == 0) break; /* it became shorter meanwhile */
        got += (size_t)n;
    }
    close(fd);
    text[got] = '\0';
    *out = text;
    *length = got;
    return HD_OK;
}

hd_status hd_file_map(hd_context *ctx, const char *path, hd_map *out) {
    int fd;
    size_t size = 0;
    *out = (hd_map){(const unsigned char *)"", 0};
    HD_TRY(open_regular(ctx, path, &fd, &size));
    hd_status status = HD_OK;
    if (size > 0) {
        void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            status = fail_errno(ctx, path, "can not be mapped", errno);
        else
            *out = (hd_map){data, size};
    }
    close(fd);
    return status;
}

void hd_file_unmap(hd_map *map) {
    if (map->length > 0) (void)munmap((void *)(uintptr_t)map->data, map->length);
    *map = (hd_map){NULL, 0};
}

/* The temporary's name is ours alone by O_EXCL, whatever another thread or process of that number left behind. */
static hd_status open_temporary(hd_out *out, mode_t mode) {
    size_t size = strlen(out->path) + 48;
    out->temporary = hd_alloc(out->ctx, size);
    if (!out->temporary) return HD_E_MEMORY;
    for (int n = 0; n < 10000; n++) {
        (void)snprintf(out->temporary, size, "%s.tmp-%ld-%d", out->path, (long)getpid(), n);
        out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (out->fd >= 0) return HD_OK;
        if (errno != EEXIST) break;
    }
    return fail_errno(out->ctx, out->path, "can not be written", errno);
}

static void out_release(hd_out *out) {
    if (out->fd >= 0) {
        close(out->fd);
        (void)unlink(out->temporary);
    }
    hd_free(out->ctx, out->buffer);
    hd_free(out->ctx, out->temporary);
    hd_free(out->ctx, out->path);
    *out = (hd_out){.ctx = out->ctx, .fd = -1};
}

hd_status hd_out_open(hd_out *out, hd_context *ctx, const char *path) {
    struct stat info;
    mode_t mode = 0666;
    *out = (hd_out){.ctx = ctx, .fd = -1};
    if (stat(path, &info) == 0) {
        /* renaming over /dev/null would replace the device */
        if (!S_ISREG(info.st_mode))
            return hd_fail(ctx, HD_E_FILE, "%s|is %s and can not be written as a file|Choose another name", path,
                           S_ISDIR(info.st_mode) ? "a folder" : "a device, pipe or socket");
        mode = info.st_mode & 0777;
    }
    out->path = hd_strdup(ctx, path);
    out->buffer = hd_alloc(ctx, BUFFER);
    hd_status status = out->path && out->buffer ? open_temporary(out, mode) : HD_E_MEMORY;
    if (status != HD_OK) out_release(out);
    return status;
}

static void write_all(hd_out *out, const unsigned char *bytes, size_t length) {
    while (length > 0 && !out->error) {
        ssize_t n = write(out->fd, bytes, length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            out->error = errno;
            return;
        }
        bytes += n;
        length -= (size_t)n;
    }
}

void hd_out_write(hd_out *out, const void *bytes, size_t length) {
    if (out->fd < 0 || out->error || length == 0) return;
    out->written += length;
    if (length > BUFFER - out->used) {
        write_all(out, out->buffer, out->used);
        out->used = 0;
        if (length >= BUFFER) {
            write_all(out, bytes, length);
            return;
        }
    }
    memcpy(out->buffer + out->used, bytes, length);
    out->used += length;
}

/* The rename itself is only on the disk when the folder is. Some file systems can not fsync a folder: no error then. */
static int sync_folder(const char *path) {
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof folder) return ENAMETOOLONG;
    memcpy(folder, path, length);
    (void)snprintf(folder + length, sizeof folder - length, "%s", !slash ? "." : length == 0 ? "/" : "");
    int fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0) return errno == EACCES ? 0 : errno;
    int error = fsync(fd) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno;
    close(fd);
    return error;
}

hd_status hd_out_commit(hd_out *out) {
    if (out->fd < 0) return hd_fail(out->ctx, HD_E_FILE, "|the file was not opened");
    write_all(out, out->buffer, out->used);
    if (!out->error && fsync(out->fd) != 0 && errno != EINVAL) out->error = errno;
    int closed = close(out->fd);
    if (!out->error && closed != 0) out->error = errno;
    if (!out->error && rename(out->temporary, out->path) != 0) out->error = errno;
    out->fd = -1;
    hd_status status = HD_OK;
    if (out->error) {
        (void)unlink(out->temporary);
        status = fail_errno(out->ctx, out->path, "can not be written", out->error);
    } else {
        int error = sync_folder(out->path);
        if (error) status = fail_errno(out->ctx, out->path, "its folder can not be brought to the disk", error);
    }
    out_release(out);
    return status;
}

void hd_out_abort(hd_out *out) {
    out_release(out);
}

hd_status hd_file_write(hd_context *ctx, const char *path, const void *bytes, size_t length) {
    hd_out out;
    HD_TRY(hd_out_open(&out, ctx, path));
    hd_out_write(&out, bytes, length);
    return hd_out_commit(&out);
}

bool hd_path_exists(const char *path) {
    struct stat info;
    return stat(path, &info) == 0;
}

bool hd_path_is_dir(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

hd_status hd_dir_make(hd_context *ctx, const char *path) {
    if (hd_path_is_dir(path)) return HD_OK;
    char *copy = hd_strdup(ctx, path);
    if (!copy) return HD_E_MEMORY;
    hd_status status = HD_OK;
    for (char *at = copy + 1; status == HD_OK && copy[0]; at++) {
        char c = *at;
        if (c != '/' && c != '\0') continue;
        *at = '\0';
        if (mkdir(copy, 0777) != 0 && !hd_path_is_dir(copy))
            status = fail_errno(ctx, copy, "the folder can not be made", errno);
        *at = c;
        if (c == '\0') break;
    }
    if (!path[0]) status = fail_errno(ctx, path, "the folder can not be made", ENOENT);
    hd_free(ctx, copy);
    return status;
}
