//! What one request took, for whoever counts: every try of it, and the bodies that went to and fro.

use std::ops::AddAssign;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Effort {
    /// Requests sent, or tried to be.
    pub attempts: u32,
    /// Those of them that were refused because too much was asked at once.
    pub throttled: u32,
    /// Of the requests' bodies, each try's anew.
    pub bytes_sent: u64,
    /// Of the replies' bodies, those of failed tries included.
    pub bytes_received: u64,
}

impl AddAssign for Effort {
    fn add_assign(&mut self, other: Self) {
        self.attempts += other.attempts;
        self.throttled += other.throttled;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
    }
}
