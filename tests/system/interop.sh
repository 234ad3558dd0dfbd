#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# An independent UE in Python against the KMS: first it proves itself on the vectors, then it asks everything that
# RFC 6043 says something about, in both profiles.
. "$(dirname "$0")/lib.sh"

interop=$tests/interop
python3 "$interop/vectors.py" "$root/tests/vectors"
python3 "$interop/check.py" subscribers >"$work/subscribers.jsonl"
for profile in rfc6043 3gpp; do
  lab_up --subscribers "$work/subscribers.jsonl" --profile "$profile"
  client python3 "$interop/check.py" "$TKMS_ADDRESSES" --profile "$profile"
  client python3 "$interop/check.py" "$TKMS_ADDRESSES6" --profile "$profile" --topic calls
done
