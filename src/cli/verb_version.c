/* verb_version.c: owns `hadal version`: what runs here, and with which libraries it was built. */
#include "cli/cli.h"
#include "cli/json_out.h"
#include "cli/screen.h"

static const struct {
    const char *name;
    bool have;
    const char *lost, *package;
} libraries[] = {
#ifdef HD_HAVE_DNNL
    {"oneDNN", true, "", ""},
#else
    {"oneDNN", false, "products and convolutions run several times slower", "libdnnl-dev"},
#endif
#ifdef HD_HAVE_YAML
    {"libyaml", true, "", ""},
#else
    {"libyaml", false, "recipes must be written in JSON", "libyaml-dev"},
#endif
#ifdef HD_HAVE_PNG
    {"libpng", true, "", ""},
#else
    {"libpng", false, "no PNG pictures are read", "libpng-dev"},
#endif
#ifdef HD_HAVE_JPEG
    {"libjpeg", true, "", ""},
#else
    {"libjpeg", false, "no JPEG pictures are read", "libjpeg-dev"},
#endif
#ifdef HD_HAVE_ZLIB
    {"zlib", true, "", ""},
#else
    {"zlib", false, "no .gz files are read", "zlib1g-dev"},
#endif
#ifdef HD_HAVE_CURL
    {"libcurl", true, "", ""},
#else
    {"libcurl", false, "data get fetches nothing", "libcurl4-openssl-dev"},
#endif
};
enum { LIBRARIES = (int)(sizeof libraries / sizeof *libraries) };

static hd_status run_version(cli *c) {
    hd_status status = cli_context(c);
    if (status != HD_OK) return status;
    if (c->json) {
        json_out j;
        json_begin(c, &j);
        json_string(&j, "version", hd_version());
        json_string(&j, "isa", hd_context_isa(c->ctx));
        json_int(&j, "threads", hd_context_threads(c->ctx));
        json_string(&j, "bf16", hd_precision_native(c->ctx, "bf16") ? "native" : "emulated");
        hd_jw_key(&j.w, "libraries");
        hd_jw_begin(&j.w, '{');
        for (int i = 0; i < LIBRARIES; i++) {
            hd_jw_key(&j.w, libraries[i].name);
            hd_jw_bool(&j.w, libraries[i].have);
        }
        hd_jw_end(&j.w);
        char version[32];
        if (hd_library_version("oneDNN", version)) json_string(&j, "onednn", version);
        return json_end(c, &j);
    }
    say(c, "hadal %s · cpu %s × %d thread%s\n", hd_version(), hd_context_isa(c->ctx), hd_context_threads(c->ctx),
        hd_context_threads(c->ctx) == 1 ? "" : "s");
    say(c, "  %-8s %s\n", "bf16",
        hd_precision_native(c->ctx, "bf16") ? "multiplied by the processor (--precision bf16)"
                                            : "emulated: rounded, then multiplied in f32; no faster than f32");
    for (int i = 0; i < LIBRARIES; i++) {
        char text[32];
        const char *version = hd_library_version(libraries[i].name, text);
        if (libraries[i].have)
            say(c, "  %-8s in use%s%s\n", libraries[i].name, version ? ", " : "", version ? version : "");
        else
            say(c, "  %-8s not in this build: %s (Debian: %s, then build anew)\n", libraries[i].name, libraries[i].lost,
                libraries[i].package);
    }
    return HD_OK;
}

static const cli_flag flags[] = {{"threads", "N", "count with so many threads"}, CLI_FLAG_END};

const cli_verb cli_verb_version = {
    .name = "version",
    .summary = "what runs here",
    .things = "",
    .about = "Prints version, instruction set, threads, and which optional libraries are in this build.",
    .flags = flags,
    .example = "hadal version",
    .min_things = 0,
    .max_things = 0,
    .run = run_version,
};
