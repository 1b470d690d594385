/* report_reconstructions.c: owns the pictures of a network that gives back what it reads: the run folder's
 * reconstructions.png, inside the page. */
#include "cli/report_page.h"
#include <stdlib.h>

enum { LARGEST = 16 << 20 };

hd_status report_reconstructions(report *r) {
    char path[4096], *png = NULL;
    size_t length = 0;
    const hd_dims *s = &r->facts.sample;
    if (!r->info.reconstructs || r->count <= 0 || s->rank != 3 || (s->dim[0] != 1 && s->dim[0] != 3)) return HD_OK;
    (void)snprintf(path, sizeof path, "%s/reconstructions.png", r->result->run);
    hd_status status = cli_read_all(r->c, path, LARGEST, &png, &length);
    if (status != HD_OK) return status;
    hd_text_printf(r->page,
                   "<h2>What it gives back</h2><p>The first %s samples: above as they are, below as the network "
                   "gives them back.</p><figure><img style='max-width:100%%;image-rendering:pixelated' alt='originals "
                   "above, reconstructions below' src='data:image/png;base64,",
                   r->judged_on);
    html_base64(r->page, (const unsigned char *)png, length);
    hd_text_puts(r->page, "'></figure>");
    free(png);
    return HD_OK;
}
