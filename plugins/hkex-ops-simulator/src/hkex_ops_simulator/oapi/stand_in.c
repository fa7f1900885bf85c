/*
 * stand_in.c: a shared library that stands in for the licensed OAPI library.
 *
 * It has the exports, the calling conventions and the traps of the real one, and behind them it
 * has nothing of it: each call is one question and one answer, in a small protocol of its own, on a
 * socket to the SYNTHETIC clearing house of hkex-ops-simulator (house.py). A "gateway" is a port of
 * that house on loopback; this library connects to nothing else.
 *
 * Made with -D where a variant has to be another library:
 *   STAND_IN_OLD    an older kit: no _ex calls for the session, log in by tx_ex
 *   STAND_IN_SWAP   the swapping functions really swap: messages are not in this machine's order
 *   STAND_IN_ZLIB   needs zlib's symbols and names no library that has them
 *   STAND_IN_OTHER  another product's library of the same name
 *
 * Traps that are on purpose, for whoever calls: eight bytes are written to transaction id and order
 * id, lengths are in and out, two calls at once in one session are refused and told to the house.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

#ifdef STAND_IN_OTHER

EXPORT int32_t omni_packet_engine_start(void) { return 0; }
EXPORT int32_t omni_packet_engine_stop(void) { return 0; }

#else

/* ---- What the interface lays down --------------------------------------------------------- */

#pragma pack(push, 1)
typedef struct { uint32_t length_u; char payload[]; } omni_message;

typedef struct {
    char user_s[32];
    char pass_s[32];
    char gateway_node_s[128];
    uint32_t port_u;
    char appl_ident_s[32];
    uint8_t forced_u;
    char filler_s[3];
} omni_login_t;

typedef struct { char pass_s[32]; char new_pass_s[32]; } omni_set_password_t;

typedef struct {
    uint32_t type_u;
    char user_s[32];
    char pass_s[32];
    char new_pass_s[32];
    char node_s[129];
    char sock_s[21];
    char idnt_s[18];
} omni_login_message;

typedef struct { uint32_t length_u; char reserved_s[116]; } omni_log_message;
typedef struct { int32_t part[9]; } omni_tm_t;
#pragma pack(pop)

_Static_assert(sizeof(omni_login_t) == 232, "a login is 232 bytes");
_Static_assert(sizeof(omni_set_password_t) == 64, "a password change is 64 bytes");
_Static_assert(sizeof(omni_login_message) == 268, "an old login is 268 bytes");
_Static_assert(sizeof(omni_log_message) == 120, "a log message is 120 bytes");
_Static_assert(sizeof(omni_tm_t) == 36, "a time is 36 bytes");

#define OPTIONS 5
#define MAXIMUM 64000u              /* of a message in either direction */
#define DEFAULT_TIMEOUT_S 300

enum facility { LOGIN = 1, LOGOUT = 2, OLD_PASSWORD = 7, FORCED_LOGIN = 8, NEW_PASSWORD = 9 };

enum status {
    OK = 0, NOT_LOGGED_IN = -5, TRUNCATED = -13, MEMORY = -24, INVALID_ARGUMENT = -25,
    NOT_FOUND = -26, LINK_FAILURE = -53, IO_TIMEOUT = -54, BAD_HOST = -2010, CANNOT_CONNECT = -2012,
    SESSION_IN_USE = -2019, ILLEGAL_CHARACTERS = -2029, NOT_TERMINATED = -2030, WRONG_SIZE = -2031,
};

/* ---- The protocol to the house: one question, one answer, in this machine's order ---------- */

enum op {
    OP_LOGIN = 1, OP_LOGOUT, OP_PASSWORD, OP_TX, OP_TX_RESPONSE, OP_QUERY, OP_SET_EVENT,
    OP_CLEAR_EVENT, OP_READ_EVENT, OP_MESSAGE, OP_INFO, OP_MGMT, OP_SOURCE,
};

typedef struct { uint32_t length; uint8_t op; uint8_t flags; uint16_t collisions; } question_t;

#pragma pack(push, 1)
typedef struct {
    uint32_t length; int32_t status; int32_t txstat; uint64_t txid; uint64_t ordid;
} answer_t;
#pragma pack(pop)

#define ANSWER_HEAD (sizeof(answer_t) - sizeof(uint32_t))

enum flag { FLAG_SWAPPED = 1, FLAG_OLD = 2, FLAG_FORCED = 4 };

#ifdef STAND_IN_SWAP
#define FLAGS_ORDER FLAG_SWAPPED
#else
#define FLAGS_ORDER 0
#endif
#ifdef STAND_IN_OLD
#define FLAGS_KIT FLAG_OLD
#else
#define FLAGS_KIT 0
#endif

typedef struct {
    int fd;                         /* -1: no connection */
    int busy;                       /* a call is under way */
    unsigned collisions;            /* calls that were made meanwhile and not told yet */
    int32_t options[OPTIONS];
    char name[64];
} session_t;

static int32_t default_options[OPTIONS];
static session_t the_one = { .fd = -1 };    /* of the calls without a handle */

static void hang_up(session_t *s)
{
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
}

static int put(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return -1;
        at += sent;
        size -= (size_t)sent;
    }
    return 0;
}

/* 0, or the status for what happened to the connection. */
static int32_t take(int fd, void *data, size_t size)
{
    char *at = data;
    while (size) {
        ssize_t got = recv(fd, at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return IO_TIMEOUT;
        if (got <= 0) return LINK_FAILURE;
        at += got;
        size -= (size_t)got;
    }
    return OK;
}

typedef struct { const void *data; size_t size; } part_t;
typedef struct { int32_t status, txstat; uint64_t txid, ordid; size_t size; char *data; } told_t;

/* Ask the house; what it tells has to be freed. A connection that fails is gone. */
static told_t ask(session_t *s, enum op op, uint8_t flags, part_t head, part_t body)
{
    told_t told = { .status = NOT_LOGGED_IN };
    if (s->fd < 0) return told;
    question_t question = {
        .length = (uint32_t)(sizeof question - 4 + head.size + body.size),
        .op = (uint8_t)op, .flags = flags, .collisions = (uint16_t)s->collisions,
    };
    s->collisions = 0;
    answer_t answer;
    told.status = LINK_FAILURE;
    if (put(s->fd, &question, sizeof question) || put(s->fd, head.data, head.size)
        || put(s->fd, body.data, body.size)) {
        hang_up(s);
        return told;
    }
    int32_t lost = take(s->fd, &answer, sizeof answer);
    if (!lost && (answer.length < ANSWER_HEAD || answer.length > ANSWER_HEAD + 2 * MAXIMUM))
        lost = LINK_FAILURE;
    if (!lost) {
        told.size = answer.length - ANSWER_HEAD;
        told.data = malloc(told.size + 1);
        lost = told.data ? take(s->fd, told.data, told.size) : MEMORY;
    }
    if (lost) {
        hang_up(s);
        free(told.data);
        return (told_t){ .status = lost };
    }
    told.status = answer.status;
    told.txstat = answer.txstat;
    told.txid = answer.txid;
    told.ordid = answer.ordid;
    return told;
}

/* One call at a time: a second one is refused, and the house hears of it with the next question. */
static int enter(session_t *s)
{
    if (__sync_lock_test_and_set(&s->busy, 1)) {
        __sync_fetch_and_add(&s->collisions, 1);
        return 0;
    }
    return 1;
}

static void leave(session_t *s) { __sync_lock_release(&s->busy); }

/* The caller's buffer: as much as there is room for, the length either way. */
static int32_t hand_over(told_t *told, char *buffer, uint32_t *length)
{
    uint32_t room = *length;
    int32_t status = told->status;
    size_t size = told->size < room ? told->size : room;
    if (size) memcpy(buffer, told->data, size);
    if (size < told->size && status >= 0) status = TRUNCATED;
    *length = (uint32_t)size;
    return status;
}

/* Both ids are quad words, whatever their declared type says. */
static void hand_over_ids(const told_t *told, uint32_t *txid, uint32_t *ordid)
{
    if (txid) memcpy(txid, &told->txid, 8);
    if (ordid) memcpy(ordid, &told->ordid, 8);
}

/* ---- Log in ------------------------------------------------------------------------------- */

static int terminated(const char *text, size_t size) { return memchr(text, 0, size) != NULL; }

static int illegal(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x1a || *text == '%' || *text == '\\') return 1;
    return 0;
}

static int timeout_s(void)
{
    const char *stated = getenv("OAPI_TIMEOUT");
    int seconds = stated ? atoi(stated) : 0;
    return seconds > 0 ? seconds : DEFAULT_TIMEOUT_S;
}

static int32_t connect_to(session_t *s, const char *host, uint32_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (!strcmp(host, "localhost")) host = "127.0.0.1";
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) return BAD_HOST;
    if ((ntohl(address.sin_addr.s_addr) >> 24) != 127) return BAD_HOST;     /* loopback only */
    if (port == 0 || port > 65535) return INVALID_ARGUMENT;
    address.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -2011;
    struct timeval limit = { .tv_sec = timeout_s() };
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) {
        close(fd);
        return CANNOT_CONNECT;
    }
    hang_up(s);
    s->fd = fd;
    return OK;
}

#ifdef STAND_IN_ZLIB
extern const char *zlibVersion(void);
extern int inflate(void *stream, int flush);
extern int deflate(void *stream, int flush);
static int squeeze(void *stream) { return inflate(stream, 0) + deflate(stream, 0); }
int (*volatile stand_in_squeeze)(void *) = squeeze;
#endif

static int32_t log_in(session_t *s, int32_t *txstat, const omni_login_t *login)
{
    if (!terminated(login->user_s, 32) || !terminated(login->pass_s, 32)
        || !terminated(login->gateway_node_s, 128) || !terminated(login->appl_ident_s, 32))
        return NOT_TERMINATED;
    if (illegal(login->pass_s)) return ILLEGAL_CHARACTERS;
#ifdef STAND_IN_ZLIB
    if (s->options[1] == 2 && !zlibVersion()) return -2020;
#endif
    int32_t status = connect_to(s, login->gateway_node_s, login->port_u);
    if (status < 0) return status;
    uint8_t flags = FLAGS_ORDER | FLAGS_KIT | (login->forced_u ? FLAG_FORCED : 0);
    char head[sizeof s->options + sizeof s->name];
    memcpy(head, s->options, sizeof s->options);
    memcpy(head + sizeof s->options, s->name, sizeof s->name);
    told_t told = ask(s, OP_LOGIN, flags, (part_t){ head, sizeof head },
                      (part_t){ login, sizeof *login });
    free(told.data);
    if (txstat) *txstat = told.txstat;
    if (told.status < 0) hang_up(s);
    return told.status;
}

static int32_t log_out(session_t *s, int32_t *txstat)
{
    told_t told = ask(s, OP_LOGOUT, 0, (part_t){ 0 }, (part_t){ 0 });
    free(told.data);
    if (txstat) *txstat = told.txstat;
    hang_up(s);
    return told.status;
}

static int32_t new_password(session_t *s, int32_t *txstat, const omni_set_password_t *change)
{
    if (!terminated(change->pass_s, 32) || !terminated(change->new_pass_s, 32))
        return NOT_TERMINATED;
    if (illegal(change->new_pass_s)) return ILLEGAL_CHARACTERS;
    told_t told = ask(s, OP_PASSWORD, 0, (part_t){ change, sizeof *change }, (part_t){ 0 });
    free(told.data);
    if (txstat) *txstat = told.txstat;
    return told.status;
}

/* The session calls of an older kit: a message to one of the lowest facilities. */
static int32_t old_call(session_t *s, int32_t *txstat, uint32_t facility, const omni_message *m)
{
    if (facility == LOGOUT) return log_out(s, txstat);
    if (m->length_u != sizeof(omni_login_message)) return WRONG_SIZE;
    const omni_login_message *old = (const omni_login_message *)m->payload;
    if (!terminated(old->user_s, 32) || !terminated(old->pass_s, 32)
        || !terminated(old->new_pass_s, 32) || !terminated(old->node_s, 129)
        || !terminated(old->sock_s, 21) || !terminated(old->idnt_s, 18))
        return NOT_TERMINATED;
    if (facility == OLD_PASSWORD || facility == NEW_PASSWORD) {
        omni_set_password_t change;
        memcpy(change.pass_s, old->pass_s, 32);
        memcpy(change.new_pass_s, old->new_pass_s, 32);
        return new_password(s, txstat, &change);
    }
    if (strlen(old->node_s) > 127) return BAD_HOST;
    omni_login_t login = { .forced_u = facility == FORCED_LOGIN };
    memcpy(login.user_s, old->user_s, 32);
    memcpy(login.pass_s, old->pass_s, 32);
    memcpy(login.gateway_node_s, old->node_s, 128);
    memcpy(login.appl_ident_s, old->idnt_s, 18);
    login.port_u = (uint32_t)atoi(old->sock_s);
    return log_in(s, txstat, &login);
}

/* ---- The calls ---------------------------------------------------------------------------- */

static int32_t do_tx(session_t *s, int32_t *txstat, uint32_t facility, omni_message **vector,
                     uint32_t *txid, uint32_t *ordid)
{
    if (!vector || !vector[0]) return INVALID_ARGUMENT;
    const omni_message *m = vector[0];
    if (m->length_u > MAXIMUM) return WRONG_SIZE;
    if (!enter(s)) return SESSION_IN_USE;
    int32_t status;
    if (facility == LOGIN || facility == LOGOUT || facility == FORCED_LOGIN
        || facility == OLD_PASSWORD || facility == NEW_PASSWORD) {
        status = old_call(s, txstat, facility, m);
    } else {
        told_t told = ask(s, OP_TX, 0, (part_t){ &facility, 4 }, (part_t){ m->payload, m->length_u });
        if (txstat) *txstat = told.txstat;
        hand_over_ids(&told, txid, ordid);
        free(told.data);
        status = told.status;
    }
    leave(s);
    return status;
}

static int32_t do_ask(session_t *s, enum op op, int32_t *txstat, uint32_t facility,
                      const omni_message *m, char want, char *answer, uint32_t *length,
                      uint32_t *txid, uint32_t *ordid)
{
    if (!m || !length || (!answer && *length)) return INVALID_ARGUMENT;
    if (m->length_u > MAXIMUM) return WRONG_SIZE;
    if (!enter(s)) return SESSION_IN_USE;
    told_t told = ask(s, op, (uint8_t)want, (part_t){ &facility, 4 },
                      (part_t){ m->payload, m->length_u });
    if (txstat) *txstat = told.txstat;
    hand_over_ids(&told, txid, ordid);
    int32_t status = hand_over(&told, answer, length);
    free(told.data);
    leave(s);
    return status;
}

static int32_t do_event(session_t *s, enum op op, uint32_t type, char *list)
{
    int32_t size = 0;
    if (list) memcpy(&size, list, 4);
    if (size < 0 || size > (int32_t)MAXIMUM) return INVALID_ARGUMENT;
    if (!enter(s)) return SESSION_IN_USE;
    told_t told = ask(s, op, 0, (part_t){ &type, 4 }, (part_t){ list, (size_t)size });
    if (list && told.size <= (size_t)size && told.size) memcpy(list, told.data, told.size);
    free(told.data);
    leave(s);
    return told.status;
}

static int32_t do_read(session_t *s, uint32_t type, char *buffer, uint32_t *length, int32_t many,
                       uint32_t wait_ms)
{
    if (!buffer || !length) return INVALID_ARGUMENT;
    if (!enter(s)) return SESSION_IN_USE;
    uint32_t head[4] = { type, *length, (uint32_t)many, wait_ms };
    told_t told = ask(s, OP_READ_EVENT, 0, (part_t){ head, sizeof head }, (part_t){ 0 });
    int32_t status = hand_over(&told, buffer, length);
    free(told.data);
    leave(s);
    return status;
}

static const struct { int32_t code; const char *text; } texts[] = {
    { 0, "Done" }, { -1, "Failure" }, { -2, "Not ready yet" }, { -5, "Nobody is logged in" },
    { -13, "Buffer too short" }, { -26, "Nothing found" }, { -53, "Link to the gateway failed" },
    { -54, "Gateway did not answer in time" }, { 2027, "The password has to be changed" },
    { 2028, "The password is about to expire" }, { -2024, "Attempt to log in refused" },
};

static int32_t do_message(session_t *s, int32_t code, char *text, uint32_t *length, int32_t simple)
{
    (void)simple;
    if (!text || !length) return INVALID_ARGUMENT;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].code != code) continue;
        told_t told = { .size = strlen(texts[i].text), .data = (char *)texts[i].text };
        return hand_over(&told, text, length);
    }
    if (s->fd < 0) {
        *length = 0;
        return NOT_FOUND;
    }
    if (!enter(s)) return SESSION_IN_USE;
    told_t told = ask(s, OP_MESSAGE, 0, (part_t){ &code, 4 }, (part_t){ 0 });
    int32_t status = hand_over(&told, text, length);
    free(told.data);
    leave(s);
    return status;
}

static int32_t do_info(session_t *s, int32_t *reason, uint32_t type, uint32_t *length, void *buffer)
{
    if (!buffer || !length) return INVALID_ARGUMENT;
    if (!enter(s)) return SESSION_IN_USE;
    told_t told = ask(s, OP_INFO, 0, (part_t){ &type, 4 }, (part_t){ 0 });
    if (reason) *reason = told.txstat;
    int32_t status = hand_over(&told, buffer, length);
    free(told.data);
    leave(s);
    return status;
}

static int32_t do_mgmt(session_t *s, uint8_t entity, uint8_t severity, uint16_t type, uint8_t source,
                       omni_log_message *m)
{
    if (!m) return INVALID_ARGUMENT;
    if (!enter(s)) return SESSION_IN_USE;
    uint8_t head[5] = { entity, severity, (uint8_t)type, (uint8_t)(type >> 8), source };
    told_t told = ask(s, OP_MGMT, 0, (part_t){ head, sizeof head }, (part_t){ m, sizeof *m });
    free(told.data);
    leave(s);
    return told.status;
}

/* ---- Exports: a session by its handle ----------------------------------------------------- */

EXPORT void *omniapi_create_session(void)
{
    session_t *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->fd = -1;
    memcpy(s->options, default_options, sizeof s->options);
    return s;
}

EXPORT void omniapi_close_session(void *h)
{
    if (!h) return;
    hang_up(h);
    free(h);
}

EXPORT int32_t omniapi_tx_ex(void *h, int32_t *txstat, uint32_t facility, omni_message **vector,
                             uint32_t *txid, uint32_t *ordid)
{
    return h ? do_tx(h, txstat, facility, vector, txid, ordid) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_query_ex(void *h, int32_t *txstat, uint32_t facility, omni_message *m,
                                char want, char *answer, uint32_t *length, uint32_t *txid,
                                uint32_t *ordid)
{
    if (!h) return INVALID_ARGUMENT;
    return do_ask(h, OP_QUERY, txstat, facility, m, want, answer, length, txid, ordid);
}

EXPORT int32_t omniapi_set_event_ex(void *h, uint32_t type, char *list)
{
    return h ? do_event(h, OP_SET_EVENT, type, list) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_clear_event_ex(void *h, uint32_t type, char *list)
{
    return h ? do_event(h, OP_CLEAR_EVENT, type, list) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_read_event_ext_ex(void *h, uint32_t type, char *buffer, uint32_t *length,
                                         int32_t *mask, int32_t optmask)
{
    (void)mask;
    return h ? do_read(h, type, buffer, length, optmask, 0) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_get_message_ex(void *h, int32_t code, char *text, uint32_t *length,
                                      int32_t simple)
{
    return h ? do_message(h, code, text, length, simple) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_get_info_ex(void *h, int32_t *reason, uint32_t type, uint32_t *length,
                                   void *buffer)
{
    return h ? do_info(h, reason, type, length, buffer) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_put_mgmt_ex(void *h, uint8_t entity, uint8_t severity, uint16_t type,
                                   uint8_t source, omni_log_message *m)
{
    return h ? do_mgmt(h, entity, severity, type, source, m) : INVALID_ARGUMENT;
}

EXPORT int32_t omniapi_set_source_ex(void *h, uint8_t source)
{
    told_t told = ask(h, OP_SOURCE, 0, (part_t){ &source, 1 }, (part_t){ 0 });
    free(told.data);
    return told.status;
}

/* ---- Exports: what an older kit lacks ----------------------------------------------------- */

#ifndef STAND_IN_OLD

EXPORT int32_t omniapi_login_ex(void *h, int32_t *txstat, omni_login_t *login)
{
    if (!h || !login) return INVALID_ARGUMENT;
    if (!enter(h)) return SESSION_IN_USE;
    int32_t status = log_in(h, txstat, login);
    leave(h);
    return status;
}

EXPORT int32_t omniapi_logout_ex(void *h, int32_t *txstat)
{
    if (!h) return INVALID_ARGUMENT;
    if (!enter(h)) return SESSION_IN_USE;
    int32_t status = log_out(h, txstat);
    leave(h);
    return status;
}

EXPORT int32_t omniapi_set_newpwd_ex(void *h, int32_t *txstat, omni_set_password_t *change)
{
    if (!h || !change) return INVALID_ARGUMENT;
    if (!enter(h)) return SESSION_IN_USE;
    int32_t status = new_password(h, txstat, change);
    leave(h);
    return status;
}

static int32_t set_option(int32_t *options, int32_t option, int32_t value)
{
    if (option < 1 || option >= OPTIONS || value < 1 || value > 3) return INVALID_ARGUMENT;
    options[option] = value;
    return OK;
}

EXPORT int32_t omniapi_set_option_ex(void *h, int32_t option, int32_t value)
{
    if (!h) return INVALID_ARGUMENT;
    session_t *s = h;
    return s->fd >= 0 ? -2036 : set_option(s->options, option, value);      /* before log-in only */
}

EXPORT int32_t omniapi_set_option_default(int32_t option, int32_t value)
{
    return set_option(default_options, option, value);
}

EXPORT int32_t omniapi_set_info_ex(void *h, int32_t type, void *value)
{
    if (!h || !value || type != 17) return INVALID_ARGUMENT;
    session_t *s = h;
    snprintf(s->name, sizeof s->name, "%s", (const char *)value);
    return OK;
}

EXPORT int32_t omniapi_tx_response_ex(void *h, int32_t *txstat, uint32_t facility, omni_message *m,
                                      char want, char *answer, uint32_t *length, uint32_t *txid,
                                      uint32_t *ordid)
{
    if (!h) return INVALID_ARGUMENT;
    return do_ask(h, OP_TX_RESPONSE, txstat, facility, m, want, answer, length, txid, ordid);
}

EXPORT int32_t omniapi_read_event_block(void *h, uint32_t type, char *buffer, uint32_t *length,
                                        uint32_t timeout_ms, uint32_t wait_type)
{
    (void)wait_type;
    return h ? do_read(h, type, buffer, length, 1, timeout_ms) : INVALID_ARGUMENT;
}

#endif

/* ---- Exports: the one hidden session ------------------------------------------------------ */

EXPORT int32_t omniapi_tx(int32_t *txstat, uint32_t facility, omni_message **vector, uint32_t *txid,
                          uint32_t *ordid)
{
    return do_tx(&the_one, txstat, facility, vector, txid, ordid);
}

EXPORT int32_t omniapi_query(int32_t *txstat, uint32_t facility, omni_message *m, char want,
                             char *answer, uint32_t *length, uint32_t *txid, uint32_t *ordid)
{
    return do_ask(&the_one, OP_QUERY, txstat, facility, m, want, answer, length, txid, ordid);
}

EXPORT int32_t omniapi_set_event(uint32_t type, char *list)
{
    return do_event(&the_one, OP_SET_EVENT, type, list);
}

EXPORT int32_t omniapi_clear_event(uint32_t type, char *list)
{
    return do_event(&the_one, OP_CLEAR_EVENT, type, list);
}

EXPORT int32_t omniapi_read_event_ext(uint32_t type, char *buffer, uint32_t *length, int32_t *mask,
                                      int32_t optmask)
{
    (void)mask;
    return do_read(&the_one, type, buffer, length, optmask, 0);
}

EXPORT int32_t omniapi_get_message(int32_t code, char *text, uint32_t *length, int32_t simple)
{
    return do_message(&the_one, code, text, length, simple);
}

EXPORT int32_t omniapi_get_info(int32_t *reason, uint32_t type, uint32_t *length, void *buffer)
{
    return do_info(&the_one, reason, type, length, buffer);
}

EXPORT int32_t omniapi_put_mgmt(uint8_t entity, uint8_t severity, uint16_t type, uint8_t source,
                                omni_log_message *m)
{
    return do_mgmt(&the_one, entity, severity, type, source, m);
}

EXPORT int32_t omniapi_set_source(uint8_t source)
{
    return omniapi_set_source_ex(&the_one, source);
}

/* ---- Exports: orders of bytes, times ------------------------------------------------------ */

#ifdef STAND_IN_SWAP
EXPORT uint16_t swapint16(uint16_t value) { return __builtin_bswap16(value); }
EXPORT uint32_t swapint32(uint32_t value) { return __builtin_bswap32(value); }
EXPORT uint64_t swapint64(uint64_t value) { return __builtin_bswap64(value); }
#else
EXPORT uint16_t swapint16(uint16_t value) { return value; }
EXPORT uint32_t swapint32(uint32_t value) { return value; }
EXPORT uint64_t swapint64(uint64_t value) { return value; }
#endif

EXPORT uint64_t swaporderid(uint64_t value) { return swapint64(value); }

EXPORT void swapint64_t(void *out, void *in)
{
    uint64_t value;
    memcpy(&value, in, 8);
    value = swapint64(value);
    memcpy(out, &value, 8);
}

EXPORT void omniapi_cvt_int(void *value, int16_t size)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (size) {
    case 2: memcpy(&two, value, 2); two = swapint16(two); memcpy(value, &two, 2); break;
    case 4: memcpy(&four, value, 4); four = swapint32(four); memcpy(value, &four, 4); break;
    case 8: memcpy(&eight, value, 8); eight = swapint64(eight); memcpy(value, &eight, 8); break;
    default: break;
    }
}

EXPORT struct tm *omniapi_convert_timestruct(omni_tm_t *in, struct tm *out)
{
    if (!in || !out) return NULL;
    memset(out, 0, sizeof *out);
    out->tm_sec = in->part[0];
    out->tm_min = in->part[1];
    out->tm_hour = in->part[2];
    out->tm_mday = in->part[3];
    out->tm_mon = in->part[4];
    out->tm_year = in->part[5];
    out->tm_wday = in->part[6];
    out->tm_yday = in->part[7];
    out->tm_isdst = in->part[8];
    return out;
}

#endif
