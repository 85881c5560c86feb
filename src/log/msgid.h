/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * MESSAGE_IDs of the journal records: one per class of message, never reused for another.
 *
 * Each has an entry in systemd/ctmarkd.catalog that says what it means and what to do. The name is
 * the value of CTMARK_EVENT in operational records.
 */

/* Suffix, name, 128-bit id as in the journal. */
#define MSGID_LIST(X)                                                                              \
	X(FLOW_NEW, "flow-new", "b62c9aa545c34cc0a2efa7c410366838")                                \
	X(FLOW_RELATED, "flow-related", "a7cfbe0bb2164d92bfc9803c10324fe4")                        \
	X(FLOW_REPLY, "flow-reply", "7212ae8d05f64aa69d3f9e6ae84d73f2")                            \
	X(FLOW_ASSURED, "flow-assured", "544d3e87cdcd4ec2a0bbd6d4a64212bf")                        \
	X(FLOW_STATE, "flow-state", "568e6974d84e4d2f8bf9f10141b9d336")                            \
	X(FLOW_DESTROY, "flow-destroy", "8300229521174e1595e34ecbf65a0d77")                        \
	X(PACKET_INVALID, "packet-invalid", "4ea859c0242d4be388b66a1a45825a7b")                    \
	X(LOG_SUPPRESSED, "log-suppressed", "4cbe3ef6b0864ba49518a490bff7312e")                    \
	X(LOG_DROPPED, "log-dropped", "51e01150e9b74ad9b537ee6e04eb3bec")                          \
	X(STARTED, "started", "88897255987546ac8a7e02df0d19f2ee")                                  \
	X(STOPPED, "stopped", "2b034ffff6c4440ab3f7bfdf0aa0f5a0")                                  \
	X(CONFIG_RELOADED, "config-reloaded", "e5c3a6bff6424eb99c650b501198e171")                  \
	X(CONFIG_REJECTED, "config-rejected", "5a161816e88349339abd41cd46089e43")                  \
	X(CONFIG_WARNING, "config-warning", "a3fbe50b4c4743068ef41c631ad14ea1")                    \
	X(QUEUE_BUSY, "queue-busy", "dd71aff018ab4d2d80ebbae733c08251")                            \
	X(QUEUE_LOST, "queue-lost", "db82f0c4d5a84c2bb029989d59fbdabb")                            \
	X(QUEUE_ERROR, "queue-error", "16ed7606af0847469c723819fde8cb20")                          \
	X(ACCOUNTS, "accounts", "3d248626857c4a49af4ef6994cf6c651")                                \
	X(ACCOUNTING, "accounting", "8dfbb85793a34d19938f47ab66090889")                            \
	X(FATAL_PACKET, "fatal-packet", "499e0c4ac4e641a69c00e2f21448ce4d")                        \
	X(REPEAT_LOOP, "repeat-loop", "e4517d9c6c7d4499bf5cb5c92558577a")                          \
	X(SOCKET_BUFFER, "socket-buffer", "ea1a0f2afb9a46fc939b59c21e5b53ed")                      \
	X(TABLE_FULL, "table-full", "4a4cf6116ac346f4b50a34e1289af33c")                            \
	X(TABLE_FILLING, "table-filling", "06710635c8ae47b8aed397f6ff1b12b1")                      \
	X(EARLY_DROP, "early-drop", "080111d0d2d94da191f37a48623ca333")                            \
	X(CONFIRM_EXIT, "confirm-exit", "0bc02fa7541442bcbeb37c52e6a291b0")                        \
	X(EXIT_MISSING, "exit-missing", "07c4b0d7c37c479f88b2e502f1f6b75f")                        \
	X(FRAGMENTS, "fragments", "169b00c6a5c646e2a1b5a4da056879a5")                              \
	X(STATE_WRITTEN, "state-written", "471ed8d4dbf8459e8427506c595d883c")                      \
	X(STATE_ERROR, "state-error", "4bff684d38f442fb8dff47df4ef83603")                          \
	X(ADOPTED, "adopted", "bfb11c01f7cf411a92b2033ca7e1cb09")                                  \
	X(ARENA_REFUSED, "arena-refused", "0126a3e6d0bf4984b59d306e2adfcb6f")                      \
	X(FLOWS_LOST, "flows-lost", "7f6f9bc84e3047e892a13b69ec637c82")                            \
	X(STORE_ERROR, "store-error", "5a65148bb5ba43899a7c32fa9d004793")                          \
	X(QUEUE_GIVEN_UP, "queue-given-up", "a5eb4b17027244568b31f328a7e69c9b")                    \
	X(WORKER_STALLED, "worker-stalled", "9680485e7edd4944a85462720db249d1")                    \
	X(FRAGMENTS_FULL, "fragments-full", "e9e4495faa214d4b975deca4e0dd8d8d")                    \
	X(EXPECTATIONS_FULL, "expectations-full", "d8aa31201e5745febe7229d4879f1d0f")              \
	X(INVALID_FLOOD, "invalid-flood", "ea583d5185cc4a37be26b5765f97f097")                      \
	X(MEMORY_LIMIT, "memory-limit", "655813dd31fe4365b3bba180f77adad8")                        \
	X(CONTROL, "control", "2e60be5bb2dd41e58f083f91d98b02bf")                                  \
	X(CONTROL_ERROR, "control-error", "2520af4b744f4054a81024fdefd0d0ef")

#define MSGID_STRLEN 33

#define X(name, str, id) extern const char MSGID_##name[MSGID_STRLEN];
MSGID_LIST(X)
#undef X

/* Name of an id, "" for NULL or one that is not in the list. */
const char *msgid_name(const char *id);
