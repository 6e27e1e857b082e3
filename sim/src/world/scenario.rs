//! What a world is made of: everything that follows from its seed before the first move, and how it becomes smaller.

use skep_model::catalogue::Catalogue;

use crate::generate::{self, Workflow};
use crate::random::Random;

/// A world before its first move.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Everything else is drawn from it.
    pub seed: u64,
    /// Definitions.
    pub workflows: Vec<Workflow>,
    /// Executions in the order in which they start: their number, which stays when others go, and their workflow.
    pub starts: Vec<(usize, usize)>,
    /// Moves before the faults stop.
    pub moves: usize,
    /// What may go wrong.
    pub may: May,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, clippy::struct_excessive_bools, reason = "one switch per part of the world")]
pub struct May {
    pub processes_die: bool,
    pub power_fail: bool,
    pub disks_fail: bool,
    pub blobs_fail: bool,
    pub clocks_jump: bool,
    pub people_act: bool,
}

impl Scenario {
    /// The scenario of a seed.
    pub fn draw(seed: u64, catalogue: &Catalogue) -> Self {
        let mut random = Random::of(seed, "scenario");
        let kinds = random.between(2, 6) as usize;
        let workflows = (0..kinds).map(|number| generate::workflow(&mut random, number, catalogue)).collect::<Vec<_>>();
        let count = random.between(10, 30) as usize;
        let starts = (0..count).map(|number| (number, random.below(kinds))).collect();
        let moves = count * random.between(8, 40) as usize;
        // Most worlds have everything; some are quiet, so that long flows get to their end before something happens.
        let mut may = || random.percent(85);
        let may = May {
            processes_die: may(),
            power_fail: may(),
            disks_fail: may(),
            blobs_fail: may(),
            clocks_jump: may(),
            people_act: may(),
        };
        Self { seed, workflows, starts, moves, may }
    }

    /// Everything that can be made smaller in one move, larger cuts first, in a fixed order.
    pub fn smaller(&self) -> Vec<Self> {
        let mut found = Vec::new();
        let half = self.starts.len() / 2;
        if half > 0 {
            found.push(Self { starts: self.starts[..half].to_vec(), ..self.clone() });
            found.push(Self { starts: self.starts[half..].to_vec(), ..self.clone() });
        }
        for at in 0..self.starts.len() {
            if self.starts.len() > 1 {
                let mut starts = self.starts.clone();
                starts.remove(at);
                found.push(Self { starts, ..self.clone() });
            }
        }
        for off in self.may.fewer() {
            found.push(Self { may: off, ..self.clone() });
        }
        if self.moves > 10 {
            found.push(Self { moves: self.moves / 2, ..self.clone() });
            found.push(Self { moves: self.moves - self.moves / 8 - 1, ..self.clone() });
        }
        for (at, workflow) in self.workflows.iter().enumerate() {
            if self.starts.iter().any(|(_, used)| *used == at) {
                for smaller in generate::smaller(workflow) {
                    let mut workflows = self.workflows.clone();
                    workflows[at] = smaller;
                    found.push(Self { workflows, ..self.clone() });
                }
            }
        }
        found
    }

    /// The scenario after these cuts, each a number in [`Scenario::smaller`].
    pub fn cut(&self, cuts: &[usize]) -> Option<Self> {
        cuts.iter().try_fold(self.clone(), |scenario, cut| scenario.smaller().into_iter().nth(*cut))
    }
}

impl May {
    fn fewer(self) -> Vec<Self> {
        let all = [
            Self { processes_die: false, ..self },
            Self { power_fail: false, ..self },
            Self { disks_fail: false, ..self },
            Self { blobs_fail: false, ..self },
            Self { clocks_jump: false, ..self },
            Self { people_act: false, ..self },
        ];
        all.into_iter().filter(|fewer| *fewer != self).collect()
    }
}
