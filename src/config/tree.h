/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CONFIG_TREE_H
#define SOTTO_CONFIG_TREE_H

/*
 * A YAML text as a tree of nodes that know their places: mappings, lists and single values, with
 * `${NAME}` replaced.  The only file that knows libyaml is tree.c.
 */

#include "base/arena.h"
#include "config/config.h"
#include "config/problems.h"

enum config_node_kind {
    CONFIG_NODE_VALUE,
    CONFIG_NODE_LIST,
    CONFIG_NODE_MAPPING,
};

struct config_node {
    enum config_node_kind kind;
    bool plain;    /* a value without quotes */
    bool replaced; /* part of it came from the environment: it may be secret, never quote it */
    bool broken;   /* a complaint has been made about it */
    uint32_t line, column;
    uint32_t key_line, key_column; /* of its key, in a mapping */
    sotto_span key;                /* in a mapping */
    sotto_span text;               /* of a value */
    struct config_node *first, *last, *next;
    size_t count; /* children */
};

/**
 * Reads `yaml` into a tree.
 *
 * @param arena         owns the tree
 * @param[out] root     set only on SOTTO_OK; NULL: the text holds nothing
 *
 * @retval SOTTO_EINVAL  there is no tree; see `problems`.  SOTTO_OK with problems is possible
 * @retval SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err
config_tree_read(sotto_span yaml, const struct sotto_config_env *env, struct sotto_arena *arena,
                 struct config_problems *problems, struct config_node **root);

/** The child with this key; NULL: none, or `node` is NULL or no mapping. */
struct config_node *config_node_child(const struct config_node *node, sotto_span key);

/** Child number `i` of a list or mapping; NULL: none. */
struct config_node *config_node_at(const struct config_node *node, size_t i);

/** Whether nothing was given: NULL, or an empty plain value, `~` or `null`. */
bool config_node_is_null(const struct config_node *node);

#endif
