/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A pager between stdout and who reads it. */

struct app;

/* From now on stdout goes through a pager, if it is a terminal and that is wanted. */
void pager_open(struct app *app);

/* Waits until the reader has seen all of it. */
void pager_close(struct app *app);
