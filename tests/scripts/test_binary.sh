#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The program as the linker left it: hardened, and no library's symbol in the way of another's.
n=0 failed=0
ok() { # ok STATUS SENTENCE
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		failed=1
		echo "not ok $n - $2"
	fi
}

[ -x "$SOTTO" ] || { echo "1..0 # SKIP the program is not built"; exit 0; }
if nm -an "$SOTTO" | grep -q __asan_init; then
	echo "1..0 # SKIP a sanitizer build"
	exit 0
fi

readelf -hW "$SOTTO" | grep -q 'Type: *DYN'
ok $? "loads at a random address"
readelf -lW "$SOTTO" | grep -q GNU_RELRO && readelf -dW "$SOTTO" | grep -qw BIND_NOW
ok $? "its relocations are read-only"
readelf -lW "$SOTTO" | grep GNU_STACK | grep -q ' RW '
ok $? "its stack is not executable"
nm -D "$SOTTO" | grep -q __stack_chk_fail
ok $? "guards its stack"
# A library that we load may load another OpenSSL: exported symbols of ours would take its place.
# (A name with @ is the C library's own variable, which the linker gave a place in the program.)
exported=$(nm -D --defined-only "$SOTTO" | awk '$3 !~ /@|^(_init|_fini|_end|_edata|__bss_start)$/ { print $3 }')
[ -z "$exported" ]
ok $? "exports no symbol"
[ -z "$exported" ] || echo "$exported" | head -n 10 | sed 's/^/#   /'
! readelf -dW "$SOTTO" | grep -qE 'R(UN)?PATH'
ok $? "looks for its libraries only where the system keeps them"
! readelf -pW .rodata "$SOTTO" 2>/dev/null | grep -q "$SOTTO_SOURCE/src"
ok $? "does not name the folder it was built in"
echo "1..$n"
exit $failed
