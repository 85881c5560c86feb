/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Prints every metric there can be, for tests/check/metrics.sh. */

#include <stdio.h>
#include <stdlib.h>

#include "ctl/metrics.h"
#include "tests/unit/ctl/sample.h"

int main(void)
{
	struct ctl_snapshot *s = sample_snapshot(true);
	char *text = s ? ctl_metrics(s) : NULL;

	if (text)
		fputs(text, stdout);
	free(s);
	free(text);
	return text ? 0 : 1;
}
