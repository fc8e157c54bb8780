/*
 * A small strict JSON reader and writer.
 *
 * A name on Linux is bytes, JSON is Unicode. A byte that is not valid UTF-8 travels as the lone surrogate
 * U+DC80..U+DCFF, always escaped (byte 0xFF is \udcff); reading turns it back into the byte. Any other lone
 * surrogate, raw control characters and invalid UTF-8 are refused.
 *
 * Limits: nesting 32, values JSON_MAX_VALUES. Parsing never recurses deeper than the nesting limit.
 */
#ifndef VFS_PROBE_JSON_H
#define VFS_PROBE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_MAX_DEPTH 32
#define JSON_MAX_VALUES 200000
#define JSON_SAFE_INTEGER 9007199254740991LL

/* ---- memory of one parsed text: released as a whole ---- */

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(16) unsigned char data[];
};

struct arena {
	struct arena_block *blocks;
	size_t values;
};

static void *arena_take(struct arena *arena, size_t size)
{
	size = (size + 15) & ~(size_t)15;
	struct arena_block *block = arena->blocks;
	if (!block || block->size - block->used < size) {
		size_t room = size > 65536 ? size : 65536;
		block = malloc(sizeof *block + room);
		if (!block)
			return NULL;
		block->next = arena->blocks;
		block->used = 0;
		block->size = room;
		arena->blocks = block;
	}
	void *taken = block->data + block->used;
	block->used += size;
	return taken;
}

static void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;
		free(arena->blocks);
		arena->blocks = next;
	}
	arena->values = 0;
}

/* ---- reading ---- */

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_INTEGER, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	enum json_type type;
	int64_t integer;
	/* JSON_STRING: decoded bytes, with a NUL after them that is not counted. */
	char *bytes;
	size_t length;
	/* JSON_ARRAY, JSON_OBJECT: members in their order. */
	struct json *first;
	size_t count;
	/* As a member: its key (objects only) and the next member. */
	char *key;
	struct json *next;
};

struct json_reader {
	const unsigned char *at, *end;
	struct arena *arena;
	const char *problem;
};

static bool json_bad(struct json_reader *reader, const char *problem)
{
	if (!reader->problem)
		reader->problem = problem;
	return false;
}

static void json_space(struct json_reader *reader)
{
	while (reader->at < reader->end &&
	       (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r' || *reader->at == '\n'))
		reader->at++;
}

/* Length of the valid UTF-8 sequence at `at`, 0 where there is none (overlong forms and surrogates included). */
static unsigned utf8_length(const unsigned char *at, const unsigned char *end)
{
	unsigned char lead = at[0];
	if (lead < 0x80)
		return 1;
	unsigned length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || (size_t)(end - at) < length)
		return 0;
	for (unsigned i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f) || (lead == 0xf0 && at[1] < 0x90) ||
	    (lead == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

static bool json_hex4(struct json_reader *reader, unsigned *code)
{
	if (reader->end - reader->at < 4)
		return json_bad(reader, "short escape");
	*code = 0;
	for (int i = 0; i < 4; i++) {
		unsigned char c = *reader->at++;
		unsigned digit = c >= '0' && c <= '9'	? (unsigned)(c - '0')
				 : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
							: 16u;
		if (digit > 15)
			return json_bad(reader, "bad escape");
		*code = *code << 4 | digit;
	}
	return true;
}

/* After \u: appends what it stands for. */
static bool json_unicode(struct json_reader *reader, char **to)
{
	unsigned code;
	if (!json_hex4(reader, &code))
		return false;
	unsigned char *out = (unsigned char *)*to;
	if (code >= 0xdc80 && code <= 0xdcff) {
		*out++ = (unsigned char)(code - 0xdc00);
	} else if (code >= 0xd800 && code <= 0xdfff) {
		unsigned low;
		if (code > 0xdbff || reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
			return json_bad(reader, "lone surrogate");
		reader->at += 2;
		if (!json_hex4(reader, &low))
			return false;
		if (low < 0xdc00 || low > 0xdfff)
			return json_bad(reader, "lone surrogate");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		*out++ = (unsigned char)(0xf0 | code >> 18);
		*out++ = (unsigned char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (unsigned char)(0x80 | (code & 0x3f));
	} else if (code >= 0x800) {
		*out++ = (unsigned char)(0xe0 | code >> 12);
		*out++ = (unsigned char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (unsigned char)(0x80 | (code & 0x3f));
	} else if (code >= 0x80) {
		*out++ = (unsigned char)(0xc0 | code >> 6);
		*out++ = (unsigned char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (unsigned char)code;
	}
	*to = (char *)out;
	return true;
}

static bool json_string(struct json_reader *reader, char **bytes, size_t *length)
{
	if (reader->at >= reader->end || *reader->at != '"')
		return json_bad(reader, "a string was expected");
	const unsigned char *close = ++reader->at;
	while (close < reader->end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	if (close >= reader->end)
		return json_bad(reader, "unterminated string");
	/* No escape is shorter than what it stands for. */
	char *out = arena_take(reader->arena, (size_t)(close - reader->at) + 1);
	if (!out)
		return json_bad(reader, "out of memory");
	*bytes = out;
	while (*reader->at != '"') {
		unsigned char c = *reader->at;
		if (c < 0x20)
			return json_bad(reader, "control character in a string");
		if (c != '\\') {
			unsigned size = utf8_length(reader->at, close);
			if (size == 0)
				return json_bad(reader, "invalid UTF-8");
			memcpy(out, reader->at, size);
			out += size;
			reader->at += size;
			continue;
		}
		c = reader->at[1];
		reader->at += 2;
		switch (c) {
		case '"':
		case '\\':
		case '/': *out++ = (char)c; break;
		case 'b': *out++ = '\b'; break;
		case 'f': *out++ = '\f'; break;
		case 'n': *out++ = '\n'; break;
		case 'r': *out++ = '\r'; break;
		case 't': *out++ = '\t'; break;
		case 'u':
			if (!json_unicode(reader, &out))
				return false;
			break;
		default: return json_bad(reader, "bad escape");
		}
		/* Hex digits of an escape may have run over the closing quote: then the text is malformed. */
		if (reader->at > close)
			return json_bad(reader, "bad escape");
	}
	reader->at++;
	*length = (size_t)(out - *bytes);
	*out = 0;
	return true;
}

static bool json_number(struct json_reader *reader, struct json *value)
{
	const unsigned char *start = reader->at, *at = start, *end = reader->end;
	bool negative = at < end && *at == '-', whole = true, fits = true;
	int64_t integer = 0;
	if (negative)
		at++;
	const unsigned char *digits = at;
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		fits = fits && !__builtin_mul_overflow(integer, 10, &integer) &&
		       !__builtin_add_overflow(integer, *at - '0', &integer);
	if (at == digits || (at - digits > 1 && *digits == '0'))
		return json_bad(reader, "bad number");
	if (at < end && *at == '.') {
		whole = false;
		const unsigned char *fraction = ++at;
		while (at < end && *at >= '0' && *at <= '9')
			at++;
		if (at == fraction)
			return json_bad(reader, "bad number");
	}
	if (at < end && (*at == 'e' || *at == 'E')) {
		whole = false;
		at++;
		if (at < end && (*at == '+' || *at == '-'))
			at++;
		const unsigned char *exponent = at;
		while (at < end && *at >= '0' && *at <= '9')
			at++;
		if (at == exponent)
			return json_bad(reader, "bad number");
	}
	reader->at = at;
	value->type = JSON_REAL;
	if (whole && fits) {
		value->type = JSON_INTEGER;
		value->integer = negative ? -integer : integer;
		return true;
	}
	char text[64];
	if ((size_t)(at - start) < sizeof text) {
		memcpy(text, start, (size_t)(at - start));
		text[at - start] = 0;
		double real = strtod(text, NULL);
		/* 1e3 is a whole number too. */
		if (real >= -(double)JSON_SAFE_INTEGER && real <= (double)JSON_SAFE_INTEGER && real == (double)(int64_t)real) {
			value->type = JSON_INTEGER;
			value->integer = (int64_t)real;
		}
	}
	return true;
}

static bool json_word(struct json_reader *reader, const char *word, struct json *value, enum json_type type)
{
	size_t length = strlen(word);
	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0)
		return json_bad(reader, "unexpected character");
	reader->at += length;
	value->type = type;
	return true;
}

static bool json_value(struct json_reader *reader, struct json *value, int depth);

static bool json_members(struct json_reader *reader, struct json *value, int depth)
{
	bool object = value->type == JSON_OBJECT;
	char closing = object ? '}' : ']';
	struct json **tail = &value->first;
	if (depth >= JSON_MAX_DEPTH)
		return json_bad(reader, "nested too deeply");
	reader->at++;
	json_space(reader);
	if (reader->at < reader->end && *reader->at == closing) {
		reader->at++;
		return true;
	}
	for (;;) {
		struct json *member = arena_take(reader->arena, sizeof *member);
		if (!member)
			return json_bad(reader, "out of memory");
		memset(member, 0, sizeof *member);
		json_space(reader);
		if (object) {
			size_t length;
			if (!json_string(reader, &member->key, &length))
				return false;
			if (strlen(member->key) != length)
				return json_bad(reader, "NUL in a key");
			json_space(reader);
			if (reader->at >= reader->end || *reader->at != ':')
				return json_bad(reader, "a colon was expected");
			reader->at++;
		}
		if (!json_value(reader, member, depth + 1))
			return false;
		*tail = member;
		tail = &member->next;
		value->count++;
		json_space(reader);
		if (reader->at >= reader->end)
			return json_bad(reader, "unexpected end");
		if (*reader->at == closing) {
			reader->at++;
			return true;
		}
		if (*reader->at++ != ',')
			return json_bad(reader, "a comma was expected");
	}
}

static bool json_value(struct json_reader *reader, struct json *value, int depth)
{
	json_space(reader);
	if (reader->at >= reader->end)
		return json_bad(reader, "unexpected end");
	if (++reader->arena->values > JSON_MAX_VALUES)
		return json_bad(reader, "too many values");
	switch (*reader->at) {
	case '{': value->type = JSON_OBJECT; return json_members(reader, value, depth);
	case '[': value->type = JSON_ARRAY; return json_members(reader, value, depth);
	case '"': value->type = JSON_STRING; return json_string(reader, &value->bytes, &value->length);
	case 't': return json_word(reader, "true", value, JSON_TRUE);
	case 'f': return json_word(reader, "false", value, JSON_FALSE);
	case 'n': return json_word(reader, "null", value, JSON_NULL);
	default: return json_number(reader, value);
	}
}

/* Parses a whole text. NULL, with the reason in *problem, for anything that is not strict JSON. */
static struct json *json_parse(struct arena *arena, const char *text, size_t length, const char **problem)
{
	struct json_reader reader = { (const unsigned char *)text, (const unsigned char *)text + length, arena, NULL };
	struct json *value = arena_take(arena, sizeof *value);
	*problem = "out of memory";
	if (!value)
		return NULL;
	memset(value, 0, sizeof *value);
	if (json_value(&reader, value, 0)) {
		json_space(&reader);
		if (reader.at == reader.end)
			return value;
		json_bad(&reader, "text after the value");
	}
	*problem = reader.problem;
	return NULL;
}

/* A member of an object by its key; NULL where there is none. */
static const struct json *json_get(const struct json *object, const char *key)
{
	if (object && object->type == JSON_OBJECT)
		for (const struct json *member = object->first; member; member = member->next)
			if (strcmp(member->key, key) == 0)
				return member;
	return NULL;
}

/* ---- writing: text that grows; `failed` once memory ran out ---- */

struct text {
	char *data;
	size_t length, room;
	bool failed;
};

static bool text_room(struct text *text, size_t more)
{
	if (text->failed)
		return false;
	if (text->room - text->length >= more)
		return true;
	size_t room = text->room ? text->room * 2 : 4096;
	while (room - text->length < more)
		room *= 2;
	char *data = realloc(text->data, room);
	if (!data) {
		text->failed = true;
		return false;
	}
	text->data = data;
	text->room = room;
	return true;
}

static void put(struct text *text, const void *bytes, size_t length)
{
	if (!text_room(text, length))
		return;
	memcpy(text->data + text->length, bytes, length);
	text->length += length;
}

static void put_text(struct text *text, const char *string)
{
	put(text, string, strlen(string));
}

static void put_integer(struct text *text, int64_t value)
{
	char digits[24];
	put(text, digits, (size_t)snprintf(digits, sizeof digits, "%lld", (long long)value));
}

/* Bytes as a JSON string. */
static void put_bytes(struct text *text, const char *bytes, size_t length)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *at = (const unsigned char *)bytes, *end = at + length;
	put(text, "\"", 1);
	while (at < end) {
		const unsigned char *plain = at;
		unsigned size;
		while (at < end && *at >= 0x20 && *at != '"' && *at != '\\' && *at != 0x7f && (size = utf8_length(at, end)))
			at += size;
		put(text, plain, (size_t)(at - plain));
		if (at >= end)
			break;
		unsigned char c = *at++;
		if (c == '"' || c == '\\') {
			char escaped[2] = { '\\', (char)c };
			put(text, escaped, 2);
		} else {
			char escaped[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
			if (c >= 0x80) {
				escaped[2] = 'd';
				escaped[3] = 'c';
			}
			put(text, escaped, 6);
		}
	}
	put(text, "\"", 1);
}

static void put_string(struct text *text, const char *string)
{
	put_bytes(text, string, strlen(string));
}

/* `"key":`, after a comma where something precedes it in its object. */
static void put_key(struct text *text, const char *key)
{
	if (text->length && text->data[text->length - 1] != '{')
		put(text, ",", 1);
	put_string(text, key);
	put(text, ":", 1);
}

static void put_key_integer(struct text *text, const char *key, int64_t value)
{
	put_key(text, key);
	put_integer(text, value);
}

static void put_key_string(struct text *text, const char *key, const char *value)
{
	put_key(text, key);
	put_string(text, value);
}

static void put_key_bool(struct text *text, const char *key, bool value)
{
	put_key(text, key);
	put_text(text, value ? "true" : "false");
}

/* Bytes as a JSON string in base64. */
static void put_base64(struct text *text, const unsigned char *bytes, size_t length)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	if (!text_room(text, (length + 2) / 3 * 4 + 2))
		return;
	char *out = text->data + text->length;
	*out++ = '"';
	for (size_t i = 0; i < length; i += 3) {
		unsigned a = bytes[i], b = i + 1 < length ? bytes[i + 1] : 0, c = i + 2 < length ? bytes[i + 2] : 0;
		*out++ = digits[a >> 2];
		*out++ = digits[(a & 3) << 4 | b >> 4];
		*out++ = i + 1 < length ? digits[(b & 15) << 2 | c >> 6] : '=';
		*out++ = i + 2 < length ? digits[c & 63] : '=';
	}
	*out++ = '"';
	text->length = (size_t)(out - text->data);
}

/* Decodes base64 into `to`, which has room for length / 4 * 3 bytes. -1 for anything that is not base64. */
static int64_t base64_decode(const char *from, size_t length, unsigned char *to)
{
	if (length % 4)
		return -1;
	unsigned char *out = to;
	for (size_t i = 0; i < length; i += 4) {
		unsigned group = 0, padding = 0;
		for (size_t j = 0; j < 4; j++) {
			char c = from[i + j];
			unsigned digit = c >= 'A' && c <= 'Z'	? (unsigned)(c - 'A')
					 : c >= 'a' && c <= 'z' ? (unsigned)(c - 'a') + 26u
					 : c >= '0' && c <= '9' ? (unsigned)(c - '0') + 52u
					 : c == '+'		? 62u
					 : c == '/'		? 63u
								: 64u;
			if (digit > 63) {
				if (c != '=' || i + 4 != length || j < 2)
					return -1;
				padding++;
				digit = 0;
			} else if (padding) {
				return -1;
			}
			group = group << 6 | digit;
		}
		*out++ = (unsigned char)(group >> 16);
		if (padding < 2)
			*out++ = (unsigned char)(group >> 8);
		if (padding < 1)
			*out++ = (unsigned char)group;
	}
	return out - to;
}

#endif
