/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Methods that ask the main thread: the daemon as a whole, its configuration, its log. */

#include "ctl/client.h"
#include "ctl/mailbox.h"

/* A letter with the sender filled in; NULL without memory. */
struct ctl_letter *ctl_letter_for(const struct ctl_call *call, enum ctl_ask ask);
