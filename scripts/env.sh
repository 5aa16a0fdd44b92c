# shellcheck shell=sh
# Sourced by the other scripts, with $root set to the top of the tree.
# SOTTO_DEPS: where the libraries live that Debian 12 lacks; several clones may share one.
SOTTO_DEPS=${SOTTO_DEPS:-$root/.deps}
export SOTTO_DEPS
if [ -d "$SOTTO_DEPS/lib/pkgconfig" ]; then
	PKG_CONFIG_PATH=$SOTTO_DEPS/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
	export PKG_CONFIG_PATH
fi
