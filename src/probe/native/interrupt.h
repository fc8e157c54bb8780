/*
 * Signals that a worker means to live through: the fault of a load or store beyond the end of a mapped file,
 * and a timer that interrupts a system call which would wait for ever, or that is to be interrupted.
 */
#ifndef VFS_PROBE_INTERRUPT_H
#define VFS_PROBE_INTERRUPT_H

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/time.h>

static sigjmp_buf fault_return;
static volatile sig_atomic_t fault_expected, timer_signals;
/* Whether a handler ever ran in this process. */
static volatile sig_atomic_t signals_taken;

static void fault_signal(int number)
{
	signals_taken = 1;
	if (fault_expected)
		siglongjmp(fault_return, number);
	/* A defect of ours: the same instruction faults again, and ends the worker. */
	signal(number, SIG_DFL);
}

static void timer_signal(int number)
{
	(void)number;
	signals_taken = 1;
	timer_signals++;
}

static void take_signals(void)
{
	/* SA_NODEFER: the jump leaves the handler without restoring a mask. */
	struct sigaction fault = { .sa_handler = fault_signal, .sa_flags = SA_NODEFER };
	/* Not SA_RESTART: a call that is interrupted is to say so. */
	struct sigaction timer = { .sa_handler = timer_signal };
	sigaction(SIGBUS, &fault, NULL);
	sigaction(SIGSEGV, &fault, NULL);
	sigaction(SIGALRM, &timer, NULL);
}

/* memcpy of which one side is a mapped file; 0, or the signal that ended it. What was copied before it stays. */
static int copy_mapped(void *to, const void *from, size_t length)
{
	int number = sigsetjmp(fault_return, 0);
	if (number == 0) {
		fault_expected = 1;
		/* The compiler must not move the copy out from between the two. */
		__asm__ volatile("" ::: "memory");
		memcpy(to, from, length);
		__asm__ volatile("" ::: "memory");
	}
	fault_expected = 0;
	return number;
}

/* SIGALRM after so long, and from then on each `every`; in microseconds. It may come between two calls, so once is not enough. */
static void timer_start(int64_t first_us, int64_t every_us)
{
	struct itimerval times = { .it_value = { first_us / 1000000, first_us % 1000000 },
				   .it_interval = { every_us / 1000000, every_us % 1000000 } };
	timer_signals = 0;
	setitimer(ITIMER_REAL, &times, NULL);
}

static void timer_stop(void)
{
	struct itimerval none = { 0 };
	setitimer(ITIMER_REAL, &none, NULL);
}

#endif
