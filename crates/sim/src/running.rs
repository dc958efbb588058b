//! Starting a simulation and holding on to it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::account::{Account, Mutation, MutationError};
use crate::clock::Clock;
use crate::faults::Fault;
use crate::identity::Keys;
use crate::log::Requests;
use crate::server;
use crate::world::World;

/// The way in: `Simulation::builder().account(Account::realistic()).start().await`.
#[derive(Debug)]
pub struct Simulation;

impl Simulation {
    /// A simulation of [`Account::realistic`] on any free port, without faults.
    #[must_use]
    pub fn builder() -> Builder {
        Builder { account: None, faults: Vec::new(), clock: Clock::System, port: 0, latency_ms: 0 }
    }
}

/// What a simulation starts with.
#[derive(Debug)]
pub struct Builder {
    account: Option<Account>,
    faults: Vec<Fault>,
    clock: Clock,
    port: u16,
    latency_ms: u64,
}

impl Builder {
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = Some(account);
        self
    }

    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults.extend(faults);
        self
    }

    /// The clock for signatures, tokens and sessions.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// The port on 127.0.0.1; 0 takes any free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Every answer comes this much later.
    #[must_use]
    pub fn latency_ms(mut self, latency_ms: u64) -> Self {
        self.latency_ms = latency_ms;
        self
    }

    /// Listens and serves on the current tokio runtime.
    pub async fn start(self) -> io::Result<Running> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).await?;
        let address = listener.local_addr()?;
        let world = Arc::new(World::new(self.account.unwrap_or_else(Account::realistic), self.clock));
        world.faults().set(self.faults);
        world.set_latency_ms(self.latency_ms);
        let task = tokio::spawn(server::serve(listener, Arc::clone(&world)));
        Ok(Running { world, address, task })
    }
}

/// A simulation that serves until this is dropped; everything about it can be changed meanwhile.
#[derive(Debug)]
pub struct Running {
    world: Arc<World>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// The base URL for all services, e.g. `http://127.0.0.1:40321`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The long-lived keys to sign with.
    #[must_use]
    pub fn keys(&self) -> Keys {
        self.world.account().keys()
    }

    /// A copy of everything asked so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.world.requests().clone()
    }

    pub fn forget_requests(&self) {
        *self.world.requests() = Requests::default();
    }

    /// Replaces all faults; an empty list ends them.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world.faults().set(faults.into_iter().collect());
    }

    pub fn add_fault(&self, fault: Fault) {
        self.world.faults().add(fault);
    }

    pub fn set_latency_ms(&self, latency_ms: u64) {
        self.world.set_latency_ms(latency_ms);
    }

    /// Looks into the account as it stands.
    pub fn read_account<T>(&self, read: impl FnOnce(&Account) -> T) -> T {
        read(&self.world.account())
    }

    /// Changes the account while it is served.
    pub fn change_account<T>(&self, change: impl FnOnce(&mut Account) -> T) -> T {
        change(&mut self.world.account_mut())
    }

    /// Applies one change, the same as `POST /_sim/account`.
    pub fn apply(&self, mutation: Mutation) -> Result<(), MutationError> {
        let now_ms = self.world.clock.now_ms();
        self.world.account_mut().apply(mutation, now_ms)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
