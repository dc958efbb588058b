//! The bound of the spool: who finds it full waits until something was sent.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Bytes that may lie in the spool.
#[derive(Debug)]
pub(super) struct Room {
    limit: u64,
    used: Mutex<u64>,
    freed: Notify,
}

/// Room that is taken. It is given back when this is dropped, unless it is kept.
#[derive(Debug)]
pub(super) struct Reservation {
    room: Arc<Room>,
    bytes: u64,
}

impl Room {
    pub(super) fn new(limit: u64, used: u64) -> Arc<Self> {
        Arc::new(Self { limit, used: Mutex::new(used), freed: Notify::new() })
    }

    pub(super) fn used(&self) -> u64 {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) const fn limit(&self) -> u64 {
        self.limit
    }

    /// Waits until there is room. What is larger than all of it goes in when nothing else is there.
    pub(super) async fn take(self: &Arc<Self>, bytes: u64) -> Reservation {
        let mut is_told = false;
        loop {
            let freed = self.freed.notified();
            if self.try_take(bytes) {
                return Reservation { room: Arc::clone(self), bytes };
            }
            if !is_told {
                is_told = true;
                tracing::warn!(
                    limit_bytes = self.limit,
                    "the spool is full: the crawl waits until the control plane has taken something"
                );
            }
            freed.await;
        }
    }

    fn try_take(&self, bytes: u64) -> bool {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = *used == 0 || used.saturating_add(bytes) <= self.limit;
        if fits {
            *used = used.saturating_add(bytes);
        }
        fits
    }

    pub(super) fn give_back(&self, bytes: u64) {
        {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            *used = used.saturating_sub(bytes);
        }
        self.freed.notify_waiters();
    }
}

impl Reservation {
    /// The bytes are on the disk: whoever removes them gives the room back.
    pub(super) fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.room.give_back(self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_the_room_full_waits_until_something_is_given_back() {
        let room = Room::new(10, 0);
        room.take(6).await.keep();
        let waiting = tokio::spawn({
            let room = Arc::clone(&room);
            async move { room.take(6).await.keep() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished() && room.used() == 6);
        room.give_back(6);
        waiting.await.unwrap();
        assert_eq!(room.used(), 6);
    }

    #[tokio::test]
    async fn what_is_larger_than_the_room_goes_in_alone_and_what_is_dropped_gives_its_room_back() {
        let room = Room::new(10, 0);
        let reservation = room.take(100).await;
        assert_eq!(room.used(), 100);
        drop(reservation);
        assert_eq!(room.used(), 0);
    }
}
