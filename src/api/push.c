#include "api/api_routes.h"

int api_get_push(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_list_push_subscriptions(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_create_push_subscription(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_delete_push_subscription(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}

int api_test_push_subscription(struct request *r, struct response *w, struct err *e)
{
    (void)r;
    (void)w;
    return ERR(e, ERR_NETWORK, "this part of the server is being built");
}
