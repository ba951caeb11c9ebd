#include "pg/worker_transaction.h"

#include "pg/pg.h"

extern "C" {
#include "access/xact.h"
#include "utils/snapmgr.h"
}

namespace visage::pg {

void begin_worker_transaction() {
  SetCurrentStatementStartTimestamp();
  StartTransactionCommand();
  PushActiveSnapshot(GetTransactionSnapshot());
  SPI_connect();
}

void end_worker_transaction() {
  SPI_finish();
  PopActiveSnapshot();
  CommitTransactionCommand();
}

}  // namespace visage::pg
