/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "log/msgid.h"

#include <string.h>

#define X(name, str, id) const char MSGID_##name[MSGID_STRLEN] = id;
MSGID_LIST(X)
#undef X

const char *msgid_name(const char *id)
{
	if (!id)
		return "";
#define X(name, str, value)                                                                        \
	if (strcmp(id, value) == 0)                                                                \
		return str;
	MSGID_LIST(X)
#undef X
	return "";
}
