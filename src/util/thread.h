/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <pthread.h>
#include <signal.h>

/*
 * Starts a thread that no signal reaches: signals are the main thread's. attr may be NULL. Returns
 * 0 or -errno.
 */
static inline int thread_start(pthread_t *ret, const pthread_attr_t *attr, void *(*body)(void *),
			       void *arg)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(ret, attr, body, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}
