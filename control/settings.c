/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/settings.h"

#include <string.h>

#include "control/config_raw.h"
#include "control/duration.h"

#define ROW(section_, name_, kind_, fallback_, min_, max_, reload_, help_) \
	{.section = #section_,                                             \
		.name = #name_,                                            \
		.kind = SETTING_##kind_,                                   \
		.fallback = fallback_,                                     \
		.min = min_,                                               \
		.max = max_,                                               \
		.reload = CONFIG_##reload_,                                \
		.help = help_,                                             \
		.raw_offset = offsetof(struct config_raw, section_.name_), \
		.offset = offsetof(struct config, section_.name_)},
const struct setting settings[] = {SETTINGS(ROW)};
const size_t settings_count = sizeof(settings) / sizeof(settings[0]);

#define LIST(section_, name_, fallback_, reload_, help_, example_) \
	{#section_, #name_, fallback_, CONFIG_##reload_, help_, example_},
const struct setting_list setting_lists[] = {SETTINGS_LISTS(LIST)};
const size_t setting_lists_count = sizeof(setting_lists) / sizeof(setting_lists[0]);

const char *const *setting_choices(enum setting_kind kind)
{
	static const char *const profiles[] = {"3gpp", "rfc6043", NULL};
	static const char *const levels[] = {"error", "warning", "info", "debug", NULL};
	static const char *const formats[] = {"text", "json", NULL};

	switch (kind) {
	case SETTING_PROFILE:
		return profiles;
	case SETTING_LOG_LEVEL:
		return levels;
	case SETTING_LOG_FORMAT:
		return formats;
	default:
		return NULL;
	}
}

void setting_format(const struct setting *s, const struct config *c, char *text, size_t cap)
{
	const void *at = (const char *)c + s->offset;

	switch (s->kind) {
	case SETTING_TEXT:
		snprintf(text, cap, "%s", *(const char *const *)at);
		return;
	case SETTING_UINT:
		snprintf(text, cap, "%u", *(const uint32_t *)at);
		return;
	case SETTING_TIME:
		duration_format(*(const uint64_t *)at, text, cap);
		return;
	case SETTING_BOOL:
		snprintf(text, cap, "%s", *(const bool *)at ? "true" : "false");
		return;
	default:
		snprintf(text, cap, "%s", setting_choices(s->kind)[*(const unsigned int *)at]);
	}
}
