/* rename_maps.c: maps of names that are built in: how other programs call what the known networks are made of. */
#include "train/rename.h"

/* What Caffe's zoo calls the modules of SqueezeNet; its pictures are blue, green, red less a mean. */
#define FIRE(caffe_, ours_)                                                                                            \
    "\"fire" #caffe_ "/squeeze1x1.*\": \"features." #ours_ ".squeeze.*\", "                                            \
    "\"fire" #caffe_ "/expand*.*\": \"features." #ours_ ".expand*.*\", "
#define CAFFE_INPUT     "\"input\": {\"order\": \"bgr\", \"mean\": [104, 117, 123], \"std\": 1}"
#define SQUEEZENET_ENDS "\"conv1.*\": \"features.0.*\", \"conv10.*\": \"classifier.1.*\", "

static const hd_known_map maps[] = {
    {"caffe", "squeezenet1_1",
     "{" SQUEEZENET_ENDS FIRE(2, 3) FIRE(3, 4) FIRE(4, 6) FIRE(5, 7) FIRE(6, 9) FIRE(7, 10) FIRE(8, 11) FIRE(9, 12)
         CAFFE_INPUT "}"},
    {"caffe", "squeezenet1_0",
     "{" SQUEEZENET_ENDS FIRE(2, 3) FIRE(3, 4) FIRE(4, 5) FIRE(5, 7) FIRE(6, 8) FIRE(7, 9) FIRE(8, 10) FIRE(9, 12)
         CAFFE_INPUT "}"},
    {"caffe", "alexnet", "{" CAFFE_INPUT "}"},
    /* torchvision's file holds the further classifiers, which its network leaves out after loading. */
    {"torchvision", "googlenet", "{\"aux1.*\": null, \"aux2.*\": null}"},
    {"torchvision", NULL, "{}"},
    /* Written out of a wrapper that trained on several devices, or was compiled. */
    {"wrapped", NULL, "{\"module.*\": \"*\", \"_orig_mod.*\": \"*\", \"model.*\": \"*\"}"},
};

const hd_known_map *hd_known_map_at(int i) {
    return i >= 0 && i < (int)(sizeof maps / sizeof maps[0]) ? &maps[i] : NULL;
}
