#include "api/api_routes.h"

int api_get_discovery(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}
