/* Prints size and offset of every field of varde/job.h, to be compared with plugin-api/abi/job_offsets.txt. Fails if a struct has a
 * hole that is no named padding, which is also how a field that is missing in this table is found. */
#include <stddef.h>
#include <stdio.h>

#include <varde/job.h>

static int holes = 0;
static const char* name = "";
static size_t end = 0;

static void begin(const char* type, size_t size) {
    name = type;
    end = 0;
    printf("%s %lu\n", type, (unsigned long)size);
}

static void field(const char* member, size_t offset, size_t size) {
    printf("    %s.%s %lu %lu\n", name, member, (unsigned long)offset, (unsigned long)size);
    if (offset != end) {
        fprintf(stderr, "%s.%s starts at %lu, the field before ends at %lu\n", name, member, (unsigned long)offset,
                (unsigned long)end);
        ++holes;
    }
    end = offset + size;
}

static void finish(size_t size) {
    if (end == size) return;
    fprintf(stderr, "%s ends at %lu, its last field at %lu\n", name, (unsigned long)size, (unsigned long)end);
    ++holes;
}

#define BEGIN(type) begin(#type, sizeof(type))
#define FIELD(type, member) field(#member, offsetof(type, member), sizeof(((type*)0)->member))
#define END(type) finish(sizeof(type))

int main(void) {
    BEGIN(varde_job_call);
    FIELD(varde_job_call, struct_size);
    FIELD(varde_job_call, attempt);
    FIELD(varde_job_call, nominal_us);
    FIELD(varde_job_call, now_us);
    FIELD(varde_job_call, deadline_us);
    FIELD(varde_job_call, params);
    FIELD(varde_job_call, params_text);
    FIELD(varde_job_call, params_length);
    FIELD(varde_job_call, slot_length);
    FIELD(varde_job_call, slot);
    FIELD(varde_job_call, reserved);
    END(varde_job_call);
    BEGIN(varde_job_sink);
    FIELD(varde_job_sink, struct_size);
    FIELD(varde_job_sink, padding);
    FIELD(varde_job_sink, ctx);
    FIELD(varde_job_sink, result);
    FIELD(varde_job_sink, fail);
    FIELD(varde_job_sink, log);
    FIELD(varde_job_sink, should_stop);
    FIELD(varde_job_sink, query);
    FIELD(varde_job_sink, reserved);
    END(varde_job_sink);
    BEGIN(varde_job_entry);
    FIELD(varde_job_entry, magic);
    FIELD(varde_job_entry, struct_size);
    FIELD(varde_job_entry, abi_major);
    FIELD(varde_job_entry, abi_minor_needed);
    FIELD(varde_job_entry, flags);
    FIELD(varde_job_entry, reserved0);
    FIELD(varde_job_entry, job_id);
    FIELD(varde_job_entry, version);
    FIELD(varde_job_entry, sdk);
    FIELD(varde_job_entry, run);
    FIELD(varde_job_entry, query);
    FIELD(varde_job_entry, reserved);
    END(varde_job_entry);
    return holes != 0;
}
