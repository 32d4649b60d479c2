#include "api/api_routes.h"

int api_list_pairs(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_get_scores(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_list_votes(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_create_vote(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_delete_vote(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}
