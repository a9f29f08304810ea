/* The log: one JSON object per line. */
#include "tracer.h"

#include <inttypes.h>

void log_begin(FILE *log, const char *kind)
{
	fprintf(log, "{\"event\":\"%s\"", kind);
}

void log_number(FILE *log, const char *key, int64_t value)
{
	fprintf(log, ",\"%s\":%" PRId64, key, value);
}

/* Bytes from 0x80 on are written as they are: whoever reads the log decodes them as file names. */
void log_text(FILE *log, const char *key, const char *value)
{
	fprintf(log, ",\"%s\":\"", key);
	for (const unsigned char *c = (const unsigned char *)value; *c != 0; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(log, "\\%c", *c);
		else if (*c < 0x20)
			fprintf(log, "\\u%04x", *c);
		else
			fputc(*c, log);
	}
	fputc('"', log);
}

void log_end(FILE *log)
{
	fputs("}\n", log);
}
