#include "engine/weights/files.h"

int single_file_open(struct model *m, struct err *e)
{
    return ERR(e, ERR_UNSUPPORTED, "'%s' is not a Diffusers folder", m->path);
}
