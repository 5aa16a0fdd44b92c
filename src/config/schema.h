/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CONFIG_SCHEMA_H
#define SOTTO_CONFIG_SCHEMA_H

/*
 * The table of all fields of a configuration: from it come the reading (read.c), the JSON Schema
 * and the reference (print.c).
 */

#include "config/config.h"

enum config_type {
    CONFIG_BOOL,     /* bool */
    CONFIG_COUNT,    /* uint64_t */
    CONFIG_SIZE,     /* uint64_t, bytes */
    CONFIG_DURATION, /* uint64_t, milliseconds */
    CONFIG_MONEY,    /* uint64_t, thousand-millionths; written as 12 or 0.25 */
    CONFIG_SCORE,    /* uint16_t, thousandths; written as 0 to 1 */
    CONFIG_TEXT,     /* sotto_span */
    CONFIG_SECRET,   /* sotto_span that is never quoted */
    CONFIG_WORD,     /* sotto_span, one of `words` */
    CONFIG_EITHER,   /* bool: false is words[0], true is words[1] */
    CONFIG_CHOICE,   /* uint8_t: the place of one of `words` */
    CONFIG_ADDRESS,  /* struct sotto_config_address; "off" where `off` */
    CONFIG_URL,      /* struct sotto_config_url */
    CONFIG_VALKEY,   /* the same of a Valkey or Redis server */
    CONFIG_LABEL,    /* enum sotto_label */
    CONFIG_TEXTS,    /* struct sotto_config_list */
    CONFIG_SCORES,   /* uint16_t[SOTTO_LABEL_COUNT] by label */
    CONFIG_SECTION,  /* a mapping of `fields`; offsets count from the structure around it */
    CONFIG_ITEMS,    /* a list of mappings: pointer and size_t */
    CONFIG_ENTRIES,  /* a mapping of mappings: pointer and size_t; the entry's name comes first */
};

struct config_fields {
    const struct config_field *list;
    size_t count;
};

struct config_field {
    const char *name;
    enum config_type type;
    bool required;
    bool off;
    size_t offset;
    uint64_t min, max;        /* numbers: range; texts: length, where max is not 0 */
    const char *preset;       /* what counts where nothing is given, as written in a file */
    const char *const *words; /* ends with NULL */
    const char *short_for; /* ITEMS, ENTRIES: a single value in place of a mapping is this field */
    struct config_fields fields;
    size_t count_offset; /* ITEMS, ENTRIES */
    size_t item_bytes;
    const char *flag; /* ENTRIES: this key with a single value is no entry but a bool */
    size_t flag_offset;
    const char *about;        /* sentences, Markdown */
    const char *preset_about; /* for the reference, where the default is not one value */
};

/** The fields of the file. */
extern const struct config_fields config_schema;

/** Room for what config_describe() writes. */
#define CONFIG_DESCRIBE_BYTES 200

/** What a field holds, in words of Markdown: "size, 1KiB to 1GiB". */
void config_describe(const struct config_field *field, char out[CONFIG_DESCRIBE_BYTES]);

/** A word of the deny list as it is read; the same as struct sotto_detect_word. */
struct config_deny {
    sotto_span text;
    enum sotto_label label;
};

/** A recognizer as it is read. */
struct config_recognizer {
    sotto_span name;
    enum sotto_label label;
    sotto_span pattern;
    struct sotto_config_list words;
    struct sotto_config_list context;
    sotto_span checksum;
    uint16_t score;
};

/** A mode of one's own as it is read. */
struct config_mode {
    sotto_span name;
    sotto_span inherits;
    struct sotto_config_list tokenize;
    struct sotto_config_list pass;
    struct sotto_config_list generalise;
    struct sotto_config_list block;
    struct sotto_config_list agreements;
    struct sotto_config_list regions;
    sotto_span content;
};

/** What is read: the configuration, and what becomes something else when it is checked. */
struct config_draft {
    struct sotto_config c;
    struct sotto_config_list allow;
    struct config_deny *deny;
    size_t deny_count;
    struct config_recognizer *recognizers;
    size_t recognizer_count;
    struct config_mode *modes;
    size_t mode_count;
};

#endif
