#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Failures under load keep to their bars (deploy/scenarios.sh): four of them, with TKMS_LONG all.
. "$(dirname "$0")/lib.sh"

run() { "$root/deploy/scenarios.sh" "$@"; }
refuses "an unknown scenario is named" "no scenario moon" run moon
check "every scenario is listed" test "$(run --list | wc -l)" -ge 10
options=(--tries 3)
[[ -z ${TKMS_LONG:-} ]] || options+=(--long)
# The table itself is what one wants to see in the log.
run "${options[@]}" || fail "a scenario broke a bar"
check "nothing is left" sh -c "! ip netns list | grep -q '^$TKMS_LAB-' && test ! -e '/run/$TKMS_LAB-lab'"
