/*
 * Files of one folder, for GET of paths that no route has: the web application. A path that has no
 * file and looks like a page of it (no dot in its last part, asked for as HTML) is given
 * index.html, where the application's own router goes on.
 */
#include "server/exchange.h"
#include "server/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *ending, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".yaml", "application/yaml"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
};

/* Built beside the file; the better first. */
static const struct {
    const char *coding, *ending;
} packed[] = {{"br", ".br"}, {"gzip", ".gz"}};

static const char *type_of(struct str name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_ends(name, types[i].ending))
            return types[i].type;
    return "application/octet-stream";
}

/* Open `path` below the folder; part by part, so that neither ".." nor a link leads out of it.
 * -1 when it is no file. */
static int open_below(struct arena *a, int root, struct str path)
{
    struct str part;
    int folder = fcntl(root, F_DUPFD_CLOEXEC, 0);

    while (folder >= 0 && str_cut(&path, '/', &part)) {
        bool last = !path.p;
        if (!part.n || part.p[0] == '.' || part.n > 255) {
            close(folder);
            return -1;
        }
        int next =
            openat(folder, arena_str(a, part),
                   (last ? O_RDONLY | O_NONBLOCK : O_PATH | O_DIRECTORY) | O_NOFOLLOW | O_CLOEXEC);
        close(folder);
        folder = next;
    }
    struct stat st;
    if (folder >= 0 && (fstat(folder, &st) || !S_ISREG(st.st_mode))) {
        close(folder);
        return -1;
    }
    return folder;
}

/* A coding in Accept-Encoding (RFC 9110 12.5.3); "q=0" forbids it. */
static bool accepts(const char *header, const char *coding)
{
    struct str rest = str_from(header), item;

    while (str_cut(&rest, ',', &item)) {
        while (item.n && item.p[0] == ' ') {
            item.p++;
            item.n--;
        }
        struct str weight = item, name;
        if (!str_cut(&weight, ';', &name))
            continue;
        while (name.n && name.p[name.n - 1] == ' ')
            name.n--;
        if (str_is(name, coding))
            return !weight.p || !memmem(weight.p, weight.n, "q=0", 3) ||
                   memmem(weight.p, weight.n, "q=0.", 4);
    }
    return false;
}

/* Pages may carry their own styles: the web application's are made by script, as elements. */
static const char page_policy[] =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'";

static int send_file(struct request *r, struct response *w, int fd, struct str name,
                     const char *coding)
{
    struct stat st;
    /* Bundlers put a hash of the content into the names below assets/. */
    bool hashed = str_starts(name, "assets/");

    if (fstat(fd, &st))
        st = (struct stat){0};
    const char *etag = arena_printf(&r->arena, "\"%llx-%llx%s%s\"", (unsigned long long)st.st_size,
                                    (unsigned long long)st.st_mtim.tv_sec * 1000000000u +
                                        (unsigned long long)st.st_mtim.tv_nsec,
                                    coding ? "-" : "", coding ? coding : "");
    if (str_ends(name, ".html"))
        respond_header(w, "Content-Security-Policy", page_policy);
    respond_header(w, "Vary", "Accept-Encoding");
    if (coding)
        respond_header(w, "Content-Encoding", coding);
    return respond_file(w, fd, type_of(name), etag, hashed ? 365 * 24 * 3600 : 0);
}

/* True when there is such a file. */
static bool serve(struct request *r, struct response *w, struct str name)
{
    int root = r->server->static_root, fd;
    const char *accept = request_header(r, "Accept-Encoding");

    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        if (!accept || !accepts(accept, packed[i].coding))
            continue;
        const char *path = arena_printf(&r->arena, "%.*s%s", (int)name.n, name.p, packed[i].ending);
        if ((fd = open_below(&r->arena, root, str_from(path))) >= 0) {
            send_file(r, w, fd, name, packed[i].coding);
            return true;
        }
    }
    if ((fd = open_below(&r->arena, root, name)) < 0)
        return false;
    send_file(r, w, fd, name, NULL);
    return true;
}

static bool is_page(struct request *r, struct str path)
{
    const char *accept = request_header(r, "Accept");
    const char *slash = path.n ? memrchr(path.p, '/', path.n) : NULL;
    struct str last = slash ? (struct str){slash + 1, path.n - (size_t)(slash + 1 - path.p)} : path;

    return accept && strstr(accept, "text/html") && (!last.n || !memchr(last.p, '.', last.n));
}

int respond_static(struct request *r, struct response *w, struct err *e)
{
    struct str path = r->path, decoded;
    int rc;

    if (r->server->static_root < 0 || !str_skip(&path, "/"))
        return ERR(e, ERR_NOT_FOUND, "there is nothing at this address");
    if ((rc = target_decode(&r->arena, path, false, &decoded, e)))
        return rc;
    if (!decoded.n)
        decoded = STR("index.html");
    if (serve(r, w, decoded) ||
        (is_page(r, decoded) && !str_starts(decoded, "api/") && serve(r, w, STR("index.html"))))
        return 0;
    return ERR(e, ERR_NOT_FOUND, "there is nothing at this address");
}
