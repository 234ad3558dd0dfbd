/* SPDX-License-Identifier: BSD-3-Clause */
/* Metrics of the data plane: what it told last, about once a second. */
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "control/metrics.h"

/* Counters that are no verdicts. */
static const struct {
	const char *counter, *name, *help;
} others[] = {
	{"port_rx_frames", "tkms_dataplane_received_frames_total", "Frames that ports received."},
	{"port_tx_frames", "tkms_dataplane_sent_frames_total", "Frames that ports sent."},
	{"port_rx_missed", "tkms_dataplane_receive_missed_frames_total",
		"Frames lost because receive queues were full: the workers do not keep up."},
	{"port_rx_errors", "tkms_dataplane_receive_errors_total", "Frames received with errors."},
	{"port_rx_no_buffer", "tkms_dataplane_receive_no_buffer_total",
		"Frames lost because there was no buffer for them."},
	{"port_tx_errors", "tkms_dataplane_send_errors_total", "Frames that could not be sent."},
	{"announcements_sent", "tkms_dataplane_announcements_total",
		"Announcements of service addresses (ARP, neighbour advertisements)."},
};
/* Those that say how it is now. */
static const struct {
	const char *counter, *name, *help;
} states[] = {
	{IPC_WORKERS_STUCK, "tkms_dataplane_workers_stuck", "Workers whose loops stand still."},
	{IPC_CUT_OFF, "tkms_dataplane_cut_off", "1 when no port of the data plane has a link."},
};
enum { N_STATES = sizeof(states) / sizeof(states[0]) };
enum { N_OTHERS = sizeof(others) / sizeof(others[0]) };

static bool is_verdict(const char *name)
{
	for (unsigned int i = 0; i < N_OTHERS; i++)
		if (strcmp(name, others[i].counter) == 0)
			return false;
	for (unsigned int i = 0; i < N_STATES; i++)
		if (strcmp(name, states[i].counter) == 0)
			return false;
	return true;
}

static void write_counters(const struct ipc_stats *s, struct exposition *e)
{
	exposition_family(e, "tkms_dataplane_messages_total", EXPOSITION_COUNTER,
		"What became of messages and frames, by verdict.");
	for (unsigned int i = 0; i < s->n_counters; i++) {
		const struct exposition_labels labels = {{"verdict"}, {s->counters[i].name}};

		if (is_verdict(s->counters[i].name))
			exposition_uint(e, &labels, s->counters[i].value);
	}
	for (unsigned int i = 0; i < s->n_counters; i++)
		for (unsigned int k = 0; k < N_OTHERS; k++)
			if (strcmp(s->counters[i].name, others[k].counter) == 0)
				exposition_counter(
					e, others[k].name, others[k].help, s->counters[i].value);
	for (unsigned int i = 0; i < s->n_counters; i++)
		for (unsigned int k = 0; k < N_STATES; k++)
			if (strcmp(s->counters[i].name, states[k].counter) == 0)
				exposition_gauge(
					e, states[k].name, states[k].help, s->counters[i].value);
}

struct column {
	const char *name, *help;
	enum exposition_type type;
	uint64_t (*value)(const struct ipc_worker *w);
};

static uint64_t epoch_of(const struct ipc_worker *w)
{
	return w->epoch;
}
static uint64_t bursts_of(const struct ipc_worker *w)
{
	return w->bursts;
}
static uint64_t messages_of(const struct ipc_worker *w)
{
	return w->messages;
}

static void write_workers(const struct ipc_stats *s, struct exposition *e)
{
	static const struct column columns[] = {
		{"tkms_worker_epoch", "Epoch of the keyring that the worker uses.",
			EXPOSITION_GAUGE, epoch_of},
		{"tkms_worker_bursts_total", "Polls that brought frames.", EXPOSITION_COUNTER,
			bursts_of},
		{"tkms_worker_messages_total", "Messages that the worker took up.",
			EXPOSITION_COUNTER, messages_of},
	};
	char worker[12], cpu[12];
	const struct exposition_labels labels = {{"worker", "cpu"}, {worker, cpu}};

	for (unsigned int k = 0; k <= sizeof(columns) / sizeof(columns[0]); k++) {
		bool is_share = k == sizeof(columns) / sizeof(columns[0]);

		if (is_share)
			exposition_family(e, "tkms_worker_busy_ratio", EXPOSITION_GAUGE,
				"Share of the last second that the worker was busy with messages, "
				"0 to 1.");
		else
			exposition_family(e, columns[k].name, columns[k].type, columns[k].help);
		for (unsigned int i = 0; i < s->n_workers; i++) {
			const struct ipc_worker *w = &s->workers[i];

			snprintf(worker, sizeof(worker), "%u", i);
			snprintf(cpu, sizeof(cpu), "%u", w->cpu);
			if (is_share)
				exposition_real(e, &labels, w->busy_permille / 1000.0);
			else
				exposition_uint(e, &labels, columns[k].value(w));
		}
	}
}

static void write_keys(const struct ipc_stats *s, struct exposition *e)
{
	exposition_family(e, "tkms_sealing_key_tickets_total", EXPOSITION_COUNTER,
		"Tickets sealed and resolved with each sealing key since the data plane got it.");
	for (unsigned int i = 0; i < s->n_keys; i++) {
		const struct ipc_key_count *k = &s->keys[i];
		const struct exposition_labels sealed = {{"key", "op"}, {k->id, "sealed"}},
					       resolved = {{"key", "op"}, {k->id, "resolved"}};

		exposition_uint(e, &sealed, k->sealed);
		exposition_uint(e, &resolved, k->resolved);
	}
}

void metrics_write_dataplane(const struct control *c, struct exposition *e)
{
	const struct link_status *s = link_status(c->link);

	exposition_gauge(e, "tkms_dataplane_connected",
		"1 when a data plane is connected to the control process.", s->is_connected);
	exposition_gauge(e, "tkms_dataplane_loaded", "1 when the data plane has all subscribers.",
		s->is_connected && s->is_loaded);
	exposition_gauge(e, "tkms_dataplane_serving",
		"1 when the data plane has all it needs, reports, and can be reached.",
		link_is_serving(c->link));
	if (!s->is_connected || !s->has_stats)
		return;
	exposition_gauge(e, "tkms_dataplane_epoch", "Epoch of the keyring that the data plane has.",
		s->stats.epoch);
	exposition_gauge(e, "tkms_dataplane_subscribers", "Subscribers that the data plane has.",
		s->stats.subscribers);
	write_counters(&s->stats, e);
	write_workers(&s->stats, e);
	write_keys(&s->stats, e);
}
