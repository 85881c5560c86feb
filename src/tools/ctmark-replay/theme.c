/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/ctmark-replay/theme.h"

#include "util/cleanup.h"

static const struct colour {
	const char *name, *light, *dark;
} colours[] = {
#define X(suffix, name, use, light, dark) {name, light, dark},
	THEME_LIST(X)
#undef X
};

static void write_rules(FILE *f, bool dark)
{
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++) {
		const char *value = dark ? colours[i].dark : colours[i].light;

		fprintf(f, ".s-%s{stroke:%s}.f-%s{fill:%s}\n", colours[i].name, value,
			colours[i].name, value);
	}
	fprintf(f, ".h{stroke:%s}\n", dark ? colours[0].dark : colours[0].light);
}

void theme_style(FILE *f)
{
#define X(suffix, name, size, advance, style) "." name "{" style "}\n"
	fputs(THEME_FONTS(X), f);
#undef X
	/* a halo of the paper's colour keeps letters apart from the lines behind them */
	fputs(".h{paint-order:stroke;stroke-width:5px;stroke-linejoin:round}\n"
	      ".e{text-anchor:end}.c{text-anchor:middle}.n{fill:none}\n"
	      ".w{stroke-width:1.6}.w2{stroke-width:2.4}.d{stroke-dasharray:2 4}.r{rx:4px}\n"
	      ".edge{marker-end:url(#tip-faint)}.taken{marker-end:url(#tip-taken)}\n",
	      f);
	write_rules(f, false);
	fputs("@media (prefers-color-scheme:dark){\n", f);
	write_rules(f, true);
	fputs("}\n", f);
}

static void write_properties(FILE *f, bool dark)
{
	fputs(":root{", f);
	for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
		fprintf(f, "--%s:%s;", colours[i].name, dark ? colours[i].dark : colours[i].light);
	fputs("}\n", f);
}

void theme_properties(FILE *f)
{
	write_properties(f, false);
	fputs("@media (prefers-color-scheme:dark){", f);
	write_properties(f, true);
	fputs("}\n", f);
}
