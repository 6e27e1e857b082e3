//! The thread that hunts for the runner. One look at the processes serves every hunt that is going on, so that
//! cancelling a thousand steps does not read /proc a thousand times as often.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::hunt::{self, Hunt, Step};
use super::processes;
use super::target::{Surroundings, Target};

struct Order {
    hunt: Hunt,
    done: oneshot::Sender<()>,
}

/// Takes targets; its thread starts with the first.
pub(crate) struct Hunter {
    orders: Mutex<Option<Sender<Order>>>,
    around: Arc<dyn Fn() -> Surroundings + Send + Sync>,
}

impl Hunter {
    /// `around` gives what a hunt may not hit. It is asked after every look: a child that was released before
    /// the look is then surely known as a live one.
    pub fn new(around: impl Fn() -> Surroundings + Send + Sync + 'static) -> Self {
        Self { orders: Mutex::new(None), around: Arc::new(around) }
    }

    /// Ends everything that belongs to `target`; the answer comes when nothing is left (or does not die).
    pub async fn hunt(&self, target: Target) {
        let (done, ended) = oneshot::channel();
        self.send(Order { hunt: Hunt::polite(target), done });
        // The thread answers always; if it could not be started there is nothing more to wait for.
        let _ = ended.await;
    }

    fn send(&self, mut order: Order) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread that died of a panic is replaced once.
        for _ in 0..2 {
            match orders.get_or_insert_with(|| self.start()).send(order) {
                Ok(()) => return,
                Err(SendError(back)) => order = back,
            }
            *orders = None;
        }
    }

    fn start(&self) -> Sender<Order> {
        let (sender, receiver) = channel();
        let around = Arc::clone(&self.around);
        let thread = thread::Builder::new().name("skep-hunter".to_owned()).stack_size(256 * 1024);
        if let Err(problem) = thread.spawn(move || run(&receiver, &*around)) {
            tracing::error!(%problem, "the thread that ends the processes of steps cannot be started");
        }
        sender
    }
}

fn run(orders: &Receiver<Order>, around: &(dyn Fn() -> Surroundings + Send + Sync)) {
    let mut hunts: Vec<Order> = Vec::new();
    let mut pause = Duration::ZERO;
    loop {
        let received = if hunts.is_empty() {
            orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            orders.recv_timeout(pause)
        };
        match received {
            Ok(order) => {
                hunts.push(order);
                hunts.extend(orders.try_iter());
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) if hunts.is_empty() => return,
            Err(RecvTimeoutError::Disconnected) => thread::sleep(pause),
        }
        pause = look(&mut hunts, around);
    }
}

/// One look for all hunts; gives the pause until the next.
fn look(hunts: &mut Vec<Order>, around: &dyn Fn() -> Surroundings) -> Duration {
    let processes = processes::scan();
    let around = around();
    let mut pause = Duration::MAX;
    let mut index = 0;
    while index < hunts.len() {
        match hunts[index].hunt.step(&processes, &around) {
            Step::Again(rest) => {
                pause = pause.min(rest);
                index += 1;
                continue;
            }
            Step::Clean => {}
            Step::GaveUp(count) => hunt::warn(hunts[index].hunt.token(), count),
        }
        // Whoever asked may be gone; the hunt was still right.
        let _ = hunts.swap_remove(index).done.send(());
    }
    pause
}
