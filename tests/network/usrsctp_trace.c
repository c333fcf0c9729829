// Transfers of usrsctp over a lossy link, in virtual time: which packets travel when. Made usrsctp.json.
//
//   cc -O1 usrsctp_trace.c -o usrsctp_trace -l:libusrsctp.a -lpthread     (Debian: libusrsctp-dev)
//   ./usrsctp_trace MESSAGES OCTETS BITS_PER_SECOND DELAY_MS LOST_DATA LOST_SACKS
//
// Two endpoints of one process, A and B, exchange packets through a queue. LOST_DATA and LOST_SACKS are numbers of
// packets, separated by commas, of those of A that carry data and of those of B that acknowledge. Each packet is a
// line of JSON; TSNs count from 1.
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <usrsctp.h>

enum { A = 1, B = 2, COMMON_HEADER = 12, IP_HEADER = 20, DATA = 0, SACK = 3, MOST = 100000 };

typedef struct {
    long long at;
    int to;
    size_t octets;
    uint8_t *content;
    long long number;
} Packet;

static long long now = 1000000000;  // in microseconds
static Packet queue[MOST];
static int queued;
static long long sent;
static long long link_free_at[3];
static double bandwidth;
static long long delay;
static int lost_data[64], lost_sacks[64];
static int data_packets, sack_packets;
static uint32_t first_tsn;
static int tracing;
static long long begin;
static size_t received;

// usrsctp measures round trips with it.
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    time->tv_sec = now / 1000000;
    time->tv_usec = now % 1000000;
    return 0;
}

static unsigned word16(const uint8_t *at) { return (unsigned)at[0] << 8 | at[1]; }
static uint32_t word32(const uint8_t *at) { return (uint32_t)word16(at) << 16 | word16(at + 2); }

static int holds(const int *numbers, int number) {
    for (; *numbers; ++numbers)
        if (*numbers == number) return 1;
    return 0;
}

static int relative(uint32_t tsn) { return (int)(tsn - first_tsn) + 1; }

static void print_sack(const uint8_t *chunk) {
    const int cumulative = relative(word32(chunk + 4));
    const unsigned gaps = word16(chunk + 12);
    printf("[\"SACK\", %d, [", cumulative);
    for (unsigned gap = 0; gap < gaps; ++gap)
        printf("%s[%d, %d]", gap ? ", " : "", cumulative + (int)word16(chunk + 16 + 4 * gap),
               cumulative + (int)word16(chunk + 18 + 4 * gap));
    printf("]]");
}

// Prints a packet; tells whether it carries data, and whether it acknowledges.
static void look_at(const uint8_t *packet, size_t octets, int *data, int *sack) {
    int chunks = 0;
    for (size_t at = COMMON_HEADER; at + 4 <= octets;) {
        const uint8_t *chunk = packet + at;
        const unsigned length = word16(chunk + 2);
        if (length < 4) break;
        if (tracing && (chunk[0] == DATA || chunk[0] == SACK)) printf("%s", chunks++ ? ", " : "");
        if (chunk[0] == DATA) {
            if (!first_tsn) first_tsn = word32(chunk + 4);
            *data = 1;
            if (tracing) printf("[\"DATA\", %d, %u]", relative(word32(chunk + 4)), length - 16);
        } else if (chunk[0] == SACK) {
            *sack = 1;
            if (tracing) print_sack(chunk);
        }
        at += (length + 3) & ~3u;
    }
}

static int send_packet(void *address, void *packet, size_t octets, uint8_t tos, uint8_t do_not_fragment) {
    (void)tos, (void)do_not_fragment;
    const int from = (int)(intptr_t)address;
    int data = 0, sack = 0, lost = 0;
    if (tracing) printf("{\"t\": %.3f, \"from\": \"%s\", \"chunks\": [", (double)(now - begin) / 1000, from == A ? "A" : "B");
    look_at(packet, octets, &data, &sack);
    if (from == A && data) lost = holds(lost_data, ++data_packets);
    if (from == B && sack) lost = holds(lost_sacks, ++sack_packets);
    if (tracing) printf("], \"lost\": %s}\n", lost ? "true" : "false");
    if (lost) return 0;
    const long long start = now > link_free_at[from] ? now : link_free_at[from];
    link_free_at[from] = start + (long long)((double)(octets + IP_HEADER) * 8 / bandwidth * 1e6 + 0.5);
    Packet *last = &queue[queued++];
    *last = (Packet){link_free_at[from] + delay, from == A ? B : A, octets, malloc(octets), sent++};
    memcpy(last->content, packet, octets);
    return 0;
}

static int take_data(struct socket *socket, union sctp_sockstore address, void *data, size_t octets,
                     struct sctp_rcvinfo about, int flags, void *user) {
    (void)socket, (void)address, (void)about, (void)flags, (void)user;
    if (data) received += octets;
    free(data);
    return 1;
}

static int next_packet(void) {
    int next = -1;
    for (int one = 0; one < queued; ++one)
        if (next < 0 || queue[one].at < queue[next].at ||
            (queue[one].at == queue[next].at && queue[one].number < queue[next].number))
            next = one;
    return next;
}

static void run(long long time) {
    const long long end = now + time;
    for (;;) {
        const int next = next_packet();
        const long long tick = (now / 1000 + 1) * 1000;
        if (next >= 0 && queue[next].at <= tick && queue[next].at <= end) {
            const Packet packet = queue[next];
            queue[next] = queue[--queued];
            if (packet.at > now) now = packet.at;
            usrsctp_conninput((void *)(intptr_t)packet.to, packet.content, packet.octets, 0);
            free(packet.content);
        } else if (tick > end) {
            now = end;
            return;
        } else {
            now = tick;
            usrsctp_handle_timers(1);
        }
    }
}

static void read_numbers(char *text, int *numbers) {
    for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) *numbers++ = atoi(one);
}

// What rsim does not have, or has otherwise by default.
static void configure(void) {
    usrsctp_sysctl_set_sctp_ecn_enable(0);
    usrsctp_sysctl_set_sctp_pr_enable(0);
    usrsctp_sysctl_set_sctp_auth_enable(0);
    usrsctp_sysctl_set_sctp_asconf_enable(0);
    usrsctp_sysctl_set_sctp_reconfig_enable(0);
    usrsctp_sysctl_set_sctp_nrsack_enable(0);
    usrsctp_sysctl_set_sctp_L2_abc_variable(1);
    usrsctp_sysctl_set_sctp_rto_initial_default(1000);
    usrsctp_sysctl_set_sctp_rto_min_default(1000);
    usrsctp_sysctl_set_sctp_sendspace(4000000);
    usrsctp_sysctl_set_sctp_recvspace(131072);
}

static struct sockaddr_conn address_of(int side, int port) {
    struct sockaddr_conn address = {.sconn_family = AF_CONN, .sconn_port = htons((uint16_t)port)};
    address.sconn_addr = (void *)(intptr_t)side;
    return address;
}

static struct socket *make_socket(int side, int port) {
    struct socket *made = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, take_data, NULL, 0, NULL);
    struct sockaddr_conn address = address_of(side, port);
    usrsctp_register_address((void *)(intptr_t)side);
    usrsctp_bind(made, (struct sockaddr *)&address, sizeof address);
    usrsctp_set_non_blocking(made, 1);
    return made;
}

static void send_message(struct socket *socket, size_t octets) {
    struct sctp_sndinfo info = {0};
    void *content = calloc(1, octets);
    if (usrsctp_sendv(socket, content, octets, NULL, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0) < 0) perror("send");
    free(content);
}

int main(int count, char **arguments) {
    if (count != 7) {
        fprintf(stderr, "usage: %s MESSAGES OCTETS BITS_PER_SECOND DELAY_MS LOST_DATA LOST_SACKS\n", arguments[0]);
        return 2;
    }
    bandwidth = atof(arguments[3]);
    delay = (long long)(atof(arguments[4]) * 1000);
    read_numbers(arguments[5], lost_data);
    read_numbers(arguments[6], lost_sacks);
    usrsctp_init_nothreads(0, send_packet, NULL);
    configure();
    struct socket *listener = make_socket(B, 5001), *client = make_socket(A, 5002);
    usrsctp_listen(listener, 1);
    const int on = 1;
    usrsctp_setsockopt(client, IPPROTO_SCTP, SCTP_NODELAY, &on, sizeof on);
    // A packet of 1,480 octets without the IP header, as over Ethernet; usrsctp adds the common header.
    struct sctp_paddrparams path = {.spp_pathmtu = 1480 - COMMON_HEADER, .spp_flags = SPP_PMTUD_DISABLE | SPP_HB_DISABLE};
    path.spp_address.ss_family = AF_CONN;
    usrsctp_setsockopt(client, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, &path, sizeof path);
    struct sockaddr_conn peer = address_of(A, 5001);
    if (usrsctp_connect(client, (struct sockaddr *)&peer, sizeof peer) < 0 && errno != EINPROGRESS) perror("connect");
    run(3000000);
    // usrsctp acknowledges the first packet of an association at once.
    data_packets = sack_packets = -MOST;
    send_message(client, 100);
    run(3000000);
    data_packets = sack_packets = 0;
    first_tsn = 0;
    begin = now;
    tracing = 1;
    for (int message = 0; message < atoi(arguments[1]); ++message) send_message(client, (size_t)atoi(arguments[2]));
    run(60000000);
    fprintf(stderr, "%zu octets arrived\n", received);
    return 0;
}
