/* The limit of `make bench-rpc`: grpc.testing.BenchmarkService straight on nghttp2 and epoll, in one thread.
 *
 * It does what a gRPC server must and nothing else: UnaryCall answers with the message it got, StreamingFromServer
 * answers with it a thousand times, both with headers, frames and trailers as gRPC's PROTOCOL-HTTP2.md has them. It
 * knows no deadlines, no metadata, no contracts and no limits on its peers, so nothing that does can be cheaper.
 *
 * Usage: echo PORT      Listens on 127.0.0.1 until it is killed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 << 10,
    OUTPUT_BYTES = 128 << 10,
    STREAM_WINDOW = 1 << 20,
    CONNECTION_WINDOW = 16 << 20,
    MAX_STREAMS = 256,
    MAX_MESSAGE = 4 << 20,
    MESSAGES_PER_STREAM = 1000,
    PREFIX_BYTES = 5, /* one byte of flags, four of length */
    KEPT_BYTES = 4 << 10, /* a stream that is kept for the next call keeps no larger buffer */
};


enum method { NO_METHOD, UNARY_CALL, STREAMING_FROM_SERVER };

struct stream {
    struct stream *next; /* in the list of unused ones */
    enum method method;
    bool too_large;
    uint8_t *bytes; /* the request's frame, which is also the answer's */
    size_t count, room;
    size_t sent; /* of the frame under way */
    int frames_left;
};

struct connection {
    int fd;
    nghttp2_session *session;
    uint8_t *output; /* what the socket did not take; NULL while there is nothing */
    size_t waiting;
};

static struct stream *unused_streams;
static int poller;
static uint8_t input[READ_BYTES];
static uint8_t output[OUTPUT_BYTES];

static void die(const char *what) {
    perror(what);
    exit(1);
}

/* Streams */

static struct stream *make_stream(void) {
    struct stream *stream = unused_streams;
    if (stream) {
        unused_streams = stream->next;
    } else if (!(stream = calloc(1, sizeof *stream))) {
        die("calloc");
    }
    stream->method = NO_METHOD;
    stream->too_large = false;
    stream->count = stream->sent = 0;
    return stream;
}

static void drop_stream(struct stream *stream) {
    if (stream->room > KEPT_BYTES) {
        free(stream->bytes);
        stream->bytes = NULL;
        stream->room = 0;
    }
    stream->next = unused_streams;
    unused_streams = stream;
}

static void append(struct stream *stream, const uint8_t *bytes, size_t count) {
    if (stream->count + count > MAX_MESSAGE + PREFIX_BYTES) {
        stream->too_large = true;
        return;
    }
    if (stream->count + count > stream->room) {
        size_t room = stream->room ? stream->room : 512;
        while (room < stream->count + count) room *= 2;
        if (!(stream->bytes = realloc(stream->bytes, room))) die("realloc");
        stream->room = room;
    }
    memcpy(stream->bytes + stream->count, bytes, count);
    stream->count += count;
}

/* Answers */

#define FIELD(name, value) \
    { \
        (uint8_t *)(name), (uint8_t *)(value), sizeof(name) - 1, sizeof(value) - 1, \
            NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE \
    }

static const nghttp2_nv response_headers[] = {FIELD(":status", "200"), FIELD("content-type", "application/grpc")};
static const nghttp2_nv trailers[] = {FIELD("grpc-status", "0")};
static const nghttp2_nv unimplemented[] = {
    FIELD(":status", "200"), FIELD("content-type", "application/grpc"), FIELD("grpc-status", "12")};
static const nghttp2_nv internal[] = {
    FIELD(":status", "200"), FIELD("content-type", "application/grpc"), FIELD("grpc-status", "13")};

static ssize_t read_answer(
    nghttp2_session *session, int32_t id, uint8_t *place, size_t room, uint32_t *flags, nghttp2_data_source *source,
    void *context) {
    (void)context;
    struct stream *stream = source->ptr;
    size_t written = 0;
    while (stream->frames_left > 0 && written < room) {
        size_t count = stream->count - stream->sent;
        if (count > room - written) count = room - written;
        memcpy(place + written, stream->bytes + stream->sent, count);
        written += count;
        stream->sent += count;
        if (stream->sent == stream->count) {
            stream->sent = 0;
            stream->frames_left--;
        }
    }
    if (stream->frames_left == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        if (nghttp2_submit_trailer(session, id, trailers, 1)) return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return (ssize_t)written;
}

/* The request has ended: its body must be one message, not compressed. */
static int answer(nghttp2_session *session, int32_t id, struct stream *stream) {
    if (stream->method == NO_METHOD) return nghttp2_submit_response(session, id, unimplemented, 3, NULL);
    uint32_t length = 0;
    if (!stream->too_large && stream->count >= PREFIX_BYTES) {
        memcpy(&length, stream->bytes + 1, 4);
        length = ntohl(length);
    }
    if (stream->too_large || stream->count < PREFIX_BYTES || stream->bytes[0] != 0 || length != stream->count - PREFIX_BYTES)
        return nghttp2_submit_response(session, id, internal, 3, NULL);
    stream->frames_left = stream->method == UNARY_CALL ? 1 : MESSAGES_PER_STREAM;
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = read_answer};
    return nghttp2_submit_response(session, id, response_headers, 2, &provider);
}

/* What nghttp2 calls back */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    (void)context;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) return 0;
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, make_stream());
}

static int on_header(
    nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_length, const uint8_t *value,
    size_t value_length, uint8_t flags, void *context) {
    (void)flags, (void)context;
    static const char unary[] = "/grpc.testing.BenchmarkService/UnaryCall";
    static const char streaming[] = "/grpc.testing.BenchmarkService/StreamingFromServer";
    if (name_length != 5 || memcmp(name, ":path", 5) != 0) return 0;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (!stream) return 0;
    if (value_length == sizeof unary - 1 && memcmp(value, unary, value_length) == 0) stream->method = UNARY_CALL;
    if (value_length == sizeof streaming - 1 && memcmp(value, streaming, value_length) == 0)
        stream->method = STREAMING_FROM_SERVER;
    return 0;
}

static int on_data(
    nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t count, void *context) {
    (void)flags, (void)context;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream) append(stream, bytes, count);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context) {
    (void)context;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) return 0;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    return stream && answer(session, frame->hd.stream_id, stream) ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *context) {
    (void)code, (void)context;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream) drop_stream(stream);
    return 0;
}

/* Connections */

static void watch(struct connection *connection, int operation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(poller, operation, connection->fd, &event)) die("epoll_ctl");
}

static nghttp2_session *make_session(struct connection *connection) {
    static nghttp2_session_callbacks *callbacks;
    static nghttp2_option *options;
    if (!callbacks) {
        if (nghttp2_session_callbacks_new(&callbacks) || nghttp2_option_new(&options)) die("nghttp2");
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_option_set_no_closed_streams(options, 1);
    }
    nghttp2_session *session;
    if (nghttp2_session_server_new2(&session, callbacks, connection, options)) die("nghttp2_session_server_new2");
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };
    if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) ||
        nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW))
        die("nghttp2_submit_settings");
    return session;
}

/* Streams that were open go with their session, unreported; their memory is left to the process. */
static void close_connection(struct connection *connection) {
    nghttp2_session_del(connection->session);
    close(connection->fd);
    free(connection->output);
    free(connection);
}

/* Hands bytes to the socket and keeps what it does not take. False when the connection is lost. */
static bool put(struct connection *connection, const uint8_t *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = send(connection->fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0 && errno != EAGAIN) return false;
        if (sent < 0) {
            uint8_t *kept = malloc(count);
            if (!kept) die("malloc");
            memcpy(kept, bytes, count);
            free(connection->output);
            connection->output = kept;
            connection->waiting = count;
            watch(connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return true;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
    if (connection->output) {
        free(connection->output);
        connection->output = NULL;
        connection->waiting = 0;
        watch(connection, EPOLL_CTL_MOD, EPOLLIN);
    }
    return true;
}

/* Sends all that can be sent, many frames in one write. False when the connection is over. */
static bool flush(struct connection *connection) {
    if (connection->output && !put(connection, connection->output, connection->waiting)) return false;
    size_t gathered = 0;
    while (!connection->output) {
        const uint8_t *bytes;
        ssize_t count = nghttp2_session_mem_send(connection->session, &bytes);
        if (count < 0) return false;
        if (count == 0 || gathered + (size_t)count > sizeof output) {
            if (!put(connection, output, gathered)) return false;
            gathered = 0;
        }
        if (count == 0) break;
        if (connection->output) { /* the socket is full, and this frame is taken already */
            uint8_t *grown = realloc(connection->output, connection->waiting + (size_t)count);
            if (!grown) die("realloc");
            memcpy(grown + connection->waiting, bytes, (size_t)count);
            connection->output = grown;
            connection->waiting += (size_t)count;
            break;
        }
        memcpy(output + gathered, bytes, (size_t)count);
        gathered += (size_t)count;
    }
    return nghttp2_session_want_read(connection->session) || nghttp2_session_want_write(connection->session) ||
           connection->output;
}

static bool receive(struct connection *connection) {
    for (;;) {
        ssize_t count = recv(connection->fd, input, sizeof input, 0);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        if (count == 0 || nghttp2_session_mem_recv(connection->session, input, (size_t)count) < 0) return false;
        if ((size_t)count < sizeof input) return true;
    }
}

static void accept_connections(int listener) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) die("calloc");
        connection->fd = fd;
        connection->session = make_session(connection);
        watch(connection, EPOLL_CTL_ADD, EPOLLIN);
        if (!flush(connection)) close_connection(connection);
    }
}

int main(int count, char **arguments) {
    if (count != 2) {
        fprintf(stderr, "usage: echo PORT\n");
        return 2;
    }
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024))
        die("listen");
    if ((poller = epoll_create1(EPOLL_CLOEXEC)) < 0) die("epoll_create1");
    struct epoll_event listening = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening)) die("epoll_ctl");

    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(poller, events, 256, -1);
        if (ready < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < ready; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_connections(listener);
                continue;
            }
            bool is_open = !(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || receive(connection);
            if (!is_open || !flush(connection)) close_connection(connection);
        }
    }
}
