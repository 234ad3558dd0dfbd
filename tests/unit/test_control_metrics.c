/* SPDX-License-Identifier: BSD-3-Clause */
/* Prometheus' text format, and which addresses it can be served on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/exposition.h"
#include "control/metrics_server.h"

static struct exposition e;

static void begin(void)
{
	cr_assert_eq(exposition_begin(&e), 0);
}

static void expect(const char *text)
{
	cr_assert_eq(exposition_end(&e), 0);
	cr_expect_str_eq(e.text, text);
	cr_expect_eq(e.len, strlen(text));
	free(e.text);
}

Test(metrics, a_family_is_named_and_explained_once)
{
	const struct exposition_labels one = {{"a"}, {"1"}}, two = {{"a", "b"}, {"1", "2"}};

	begin();
	exposition_family(&e, "tkms_x_total", EXPOSITION_COUNTER, "What x is.");
	exposition_uint(&e, &one, 7);
	exposition_uint(&e, &two, UINT64_MAX);
	expect("# HELP tkms_x_total What x is.\n# TYPE tkms_x_total counter\n"
	       "tkms_x_total{a=\"1\"} 7\ntkms_x_total{a=\"1\",b=\"2\"} 18446744073709551615\n");
}

Test(metrics, one_sample_without_labels)
{
	begin();
	exposition_gauge(&e, "tkms_y", "What y is.", 3);
	exposition_gauge_real(&e, "tkms_z_ratio", "What z is.", 0.25);
	exposition_counter(&e, "tkms_v_total", "What v is.", 0);
	expect("# HELP tkms_y What y is.\n# TYPE tkms_y gauge\ntkms_y 3\n"
	       "# HELP tkms_z_ratio What z is.\n# TYPE tkms_z_ratio gauge\ntkms_z_ratio 0.25\n"
	       "# HELP tkms_v_total What v is.\n# TYPE tkms_v_total counter\ntkms_v_total 0\n");
}

Test(metrics, a_value_of_a_label_cannot_leave_its_quotes)
{
	const struct exposition_labels evil = {
		{"node"}, {"a\"} 1\ntkms_up 1\n# \\ \x01\xc3\xa4\x7f"}};

	begin();
	exposition_family(&e, "tkms_x", EXPOSITION_GAUGE, "x.");
	exposition_uint(&e, &evil, 1);
	expect("# HELP tkms_x x.\n# TYPE tkms_x gauge\n"
	       "tkms_x{node=\"a\\\"} 1\\ntkms_up 1\\n# \\\\ ????\"} 1\n");
}

Test(metrics, a_value_that_is_missing_is_empty)
{
	const struct exposition_labels none = {{"node"}, {NULL}};

	begin();
	exposition_family(&e, "tkms_x", EXPOSITION_GAUGE, "x.");
	exposition_uint(&e, &none, 1);
	expect("# HELP tkms_x x.\n# TYPE tkms_x gauge\ntkms_x{node=\"\"} 1\n");
}

Test(metrics, addresses_to_listen_on)
{
	static const char *const good[] = {
		"127.0.0.1:9269", "0.0.0.0:1", "[::1]:9269", "[2001:db8::1]:65535"};
	static const char *const wrong[] = {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0",
		"127.0.0.1:65536", "::1", "[::1]", "host:9269", ":9269", "127.0.0.1:9269x"};

	for (unsigned int i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect_eq(metrics_listen_check(good[i]), 0, "%s", good[i]);
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		cr_expect_eq(metrics_listen_check(wrong[i]), -EINVAL, "%s", wrong[i]);
}
