/* What `vfs-probe job` counts, and its report in the form of fio's JSON: nanoseconds, bytes, KiB a second. */
#ifndef VFS_PROBE_JOB_REPORT_H
#define VFS_PROBE_JOB_REPORT_H

#include <math.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "json.h"
#include "worker.h"

/* A histogram of times: 64 steps for each power of two, so that a percentile is right to 1.6 %. */
#define JOB_STEPS 64
#define JOB_BUCKETS (58 * JOB_STEPS + JOB_STEPS)

struct job_times {
	int64_t count, bytes, min, max;
	double sum, squares;
	int64_t buckets[JOB_BUCKETS];
};

struct job_result {
	struct job_times reads, writes, syncs;
	/* From the first request to the last, end_fsync included. */
	int64_t ns;
	int error;
	/* What laying out had taken of the processor: it is not of the job. */
	struct rusage before;
};

static int job_bucket(int64_t ns)
{
	uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
	if (value < 2 * JOB_STEPS)
		return (int)value;
	int shift = 63 - __builtin_clzll(value) - 6;
	return shift * JOB_STEPS + (int)(value >> shift);
}

/* The middle of a bucket. */
static int64_t job_bucket_ns(int bucket)
{
	if (bucket < 2 * JOB_STEPS)
		return bucket;
	int shift = bucket / JOB_STEPS - 1;
	int64_t low = (int64_t)(bucket % JOB_STEPS + JOB_STEPS) << shift;
	return low + ((int64_t)1 << shift) / 2;
}

static void job_count(struct job_times *times, int64_t ns, int64_t bytes)
{
	if (!times->count || ns < times->min)
		times->min = ns;
	if (ns > times->max)
		times->max = ns;
	times->count++;
	times->bytes += bytes;
	times->sum += (double)ns;
	times->squares += (double)ns * (double)ns;
	times->buckets[job_bucket(ns)]++;
}

static void put_key_number(struct text *text, const char *key, double value)
{
	char number[40];
	snprintf(number, sizeof number, "%.6f", isfinite(value) ? value : 0);
	put_key(text, key);
	put_text(text, number);
}

/* fio has its options as strings. */
static void job_put_option(struct text *text, const char *key, int64_t value)
{
	char number[24];
	snprintf(number, sizeof number, "%lld", (long long)value);
	put_key_string(text, key, number);
}

/* @param hundredths of a percent. */
static int64_t job_percentile(const struct job_times *times, int64_t hundredths)
{
	int64_t wanted = (times->count * hundredths + 9999) / 10000, seen = 0;
	for (int i = 0; i < JOB_BUCKETS; i++) {
		seen += times->buckets[i];
		if (seen >= wanted)
			return job_bucket_ns(i);
	}
	return times->max;
}

static void job_put_spread(struct text *text, const char *key, const struct job_times *times, bool percentiles)
{
	static const int hundredths[] = { 100,	500,  1000, 2000, 3000, 4000, 5000, 6000, 7000,
					  8000, 9000, 9500, 9900, 9950, 9990, 9995, 9999 };
	double count = times->count ? (double)times->count : 1, mean = times->sum / count;
	double variance = times->squares / count - mean * mean;
	put_key(text, key);
	put_text(text, "{");
	put_key_integer(text, "min", times->min);
	put_key_integer(text, "max", times->max);
	put_key_number(text, "mean", mean);
	put_key_number(text, "stddev", variance > 0 ? sqrt(variance) : 0);
	put_key_integer(text, "N", times->count);
	if (percentiles && times->count) {
		put_key(text, "percentile");
		put_text(text, "{");
		for (int i = 0; i < COUNT(hundredths); i++) {
			char name[16];
			snprintf(name, sizeof name, "%.6f", hundredths[i] / 100.0);
			put_key_integer(text, name, job_percentile(times, hundredths[i]));
		}
		put_text(text, "}");
	}
	put_text(text, "}");
}

static void job_put_direction(struct text *text, const char *key, const struct job_times *times, int64_t ns)
{
	static const struct job_times none;
	double seconds = ns > 0 && times->count ? (double)ns / 1e9 : 1;
	put_key(text, key);
	put_text(text, "{");
	put_key_integer(text, "io_bytes", times->bytes);
	put_key_integer(text, "io_kbytes", times->bytes / 1024);
	put_key_integer(text, "bw_bytes", (int64_t)((double)times->bytes / seconds));
	put_key_integer(text, "bw", (int64_t)((double)times->bytes / seconds / 1024));
	put_key_number(text, "iops", (double)times->count / seconds);
	put_key_integer(text, "runtime", times->count ? (ns + 500000) / 1000000 : 0);
	put_key_integer(text, "total_ios", times->count);
	put_key_integer(text, "short_ios", 0);
	put_key_integer(text, "drop_ios", 0);
	job_put_spread(text, "slat_ns", &none, false);
	job_put_spread(text, "clat_ns", times, true);
	job_put_spread(text, "lat_ns", times, false);
	put_text(text, "}");
}

/* Up to the options of the job, which whoever calls puts next. */
static void job_report_begin(struct text *text, const char *name, const struct job_result *result)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	put_text(text, "{");
	put_key_string(text, "fio version", "vfs-probe-" VFS_PROBE_VERSION);
	put_key_integer(text, "timestamp", now.tv_sec);
	put_key_integer(text, "timestamp_ms", (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
	put_key(text, "jobs");
	put_text(text, "[{");
	put_key_string(text, "jobname", name);
	put_key_integer(text, "groupid", 0);
	put_key_integer(text, "error", result->error);
	put_key_integer(text, "elapsed", result->ns / 1000000000 + 1);
}

static double job_cpu_percent(const struct timeval *time, int64_t ns)
{
	return ns > 0 ? ((double)time->tv_sec * 1e9 + (double)time->tv_usec * 1e3) * 100 / (double)ns : 0;
}

static void job_report_end(struct text *text, const struct job_result *result)
{
	static const struct job_times none;
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	timersub(&usage.ru_utime, &result->before.ru_utime, &usage.ru_utime);
	timersub(&usage.ru_stime, &result->before.ru_stime, &usage.ru_stime);
	job_put_direction(text, "read", &result->reads, result->ns);
	job_put_direction(text, "write", &result->writes, result->ns);
	job_put_direction(text, "trim", &none, 0);
	put_key(text, "sync");
	put_text(text, "{");
	put_key_integer(text, "total_ios", result->syncs.count);
	job_put_spread(text, "lat_ns", &result->syncs, true);
	put_text(text, "}");
	put_key_integer(text, "job_runtime", result->ns / 1000000);
	put_key_number(text, "usr_cpu", job_cpu_percent(&usage.ru_utime, result->ns));
	put_key_number(text, "sys_cpu", job_cpu_percent(&usage.ru_stime, result->ns));
	put_key_integer(text, "ctx",
			usage.ru_nvcsw - result->before.ru_nvcsw + usage.ru_nivcsw - result->before.ru_nivcsw);
	put_key_integer(text, "majf", usage.ru_majflt - result->before.ru_majflt);
	put_key_integer(text, "minf", usage.ru_minflt - result->before.ru_minflt);
	put_key(text, "iodepth_level");
	put_text(text, "{\"1\":100.0}");
	put_text(text, "}],\"disk_util\":[]}\n");
}

#endif
