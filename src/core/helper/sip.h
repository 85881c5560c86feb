/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The parts of the SIP helper. Private to src/core/helper. */

#include "core/helper/helper.h"
#include "core/helper/sip_message.h"

/* Classes of what it expects, as in CT_HELPER_LIST. */
enum ct_sip_class {
	CT_SIP_SIGNALLING,
	CT_SIP_AUDIO,
	CT_SIP_VIDEO,
	CT_SIP_IMAGE,
};

/* Expects the media that the session description in a message announces (semantics 6.7). */
enum ct_help_result ct_sip_sdp(struct ct_help *h, struct ct_text t);
