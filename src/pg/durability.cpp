#include "pg/durability.h"

extern "C" {
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlog_internal.h"
#include "miscadmin.h"
#include "replication/syncrep.h"
#include "replication/walsender.h"
#include "replication/walsender_private.h"
#include "storage/lwlock.h"
}

namespace visage::pg {
namespace {

int wait_mode() {
  switch (synchronous_commit) {
    case SYNCHRONOUS_COMMIT_REMOTE_WRITE:
      return SYNC_REP_WAIT_WRITE;
    case SYNCHRONOUS_COMMIT_REMOTE_APPLY:
      return SYNC_REP_WAIT_APPLY;
    default:
      return SYNC_REP_WAIT_FLUSH;
  }
}

// The server tells where the next record begins, which at a page's start is behind the page's header, and
// there may be nothing to flush up to there yet. The last record's end is before the header.
XLogRecPtr end_of_log() {
  const XLogRecPtr next = GetXLogInsertRecPtr();
  if (XLogSegmentOffset(next, wal_segment_size) == SizeOfXLogLongPHD) return next - SizeOfXLogLongPHD;
  if (next % XLOG_BLCKSZ == SizeOfXLogShortPHD) return next - SizeOfXLogShortPHD;
  return next;
}

}  // namespace

bool waits_for_standbys() {
  return SyncRepRequested() && SyncRepStandbyNames != nullptr && SyncRepStandbyNames[0] != '\0';
}

XLogRecPtr flush_ledger() {
  if (RecoveryInProgress()) return InvalidXLogRecPtr;
  const XLogRecPtr end = end_of_log();
  XLogFlush(end);
  return end;
}

void replicate_ledger() {
  const XLogRecPtr end = flush_ledger();
  if (XLogRecPtrIsInvalid(end) || !waits_for_standbys()) return;
  // Whoever ends the wait gets a warning from it, as a commit does, and no more.
  HOLD_INTERRUPTS();
  SyncRepWaitForLSN(end, true);
  RESUME_INTERRUPTS();
  CHECK_FOR_INTERRUPTS();
  LWLockAcquire(SyncRepLock, LW_SHARED);
  const bool confirmed = WalSndCtl->lsn[wait_mode()] >= end;
  LWLockRelease(SyncRepLock);
  // A reload may have taken the standbys away meanwhile, which ends the wait: this process does not know yet.
  if (!confirmed)
    ereport(
        ERROR,
        (errcode(ERRCODE_QUERY_CANCELED), errmsg("no synchronous standby has confirmed the ledger yet"),
         errhint("A promoted standby might not know what would have been shown. See pg_stat_replication.")));
}

}  // namespace visage::pg
