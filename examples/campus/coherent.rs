//! The platform as `larder::testing::check_coherent` wants it: its pages, its writes, and the truth.

use std::sync::Arc;

use larder::Larder;
use larder::testing::{Coherence, check_coherent};

use super::Result;
use super::db::Db;
use super::pages::{Kind, Route};
use super::schema::School;
use super::seed;
use super::steps;
use super::terminal::Progress;
use super::truth::Truth;
use super::writes::{self, Write};

/// A small school and its cache.
pub struct World {
    db: Arc<Db>,
    cache: Larder,
    truth: Truth,
}

impl World {
    /// The rows of a page, each at its version, as `cache` has them.
    fn rows(&self, cache: &Larder, route: Route) -> Vec<String> {
        let page = larder::scope(cache, || route.open(&self.db)).expect("the page opens");
        let mut shown = Vec::new();
        page.rows(&mut |rows| shown.extend(rows.iter().map(ToString::to_string)));
        shown
    }

    fn write(&self, write: Write, omitted: Option<writes::Kind>) {
        larder::scope(&self.cache, || write.apply(&self.db, &self.truth, true, omitted))
            .expect("it is written");
    }
}

/// The first few students and teachers open their pages, and change what they show.
fn route(kind: Kind, number: u32) -> Route {
    match kind {
        Kind::TeacherCourses => Route::TeacherCourses { teacher: number },
        Kind::AdminDashboard => Route::AdminDashboard,
        Kind::StudentDashboard => Route::StudentDashboard { student: number },
        Kind::TeacherDashboard => Route::TeacherDashboard { teacher: number },
        Kind::StudentCourses => Route::StudentCourses { student: number },
    }
}

fn write(kind: writes::Kind, number: u32) -> Write {
    match kind {
        writes::Kind::Enrol => Write::Enrol { student: number, course: number },
        writes::Kind::Pay => Write::Pay { student: number, cents: 100 },
        writes::Kind::Grade => Write::Grade { student: number, score: 77 },
        writes::Kind::EditCourse => Write::EditCourse { course: number, credits: 4 },
        writes::Kind::EditCategory => Write::EditCategory { category: number },
    }
}

/// The check of all pages and writes; `omitted` names a kind of write that fails to forget.
pub fn check(omitted: Option<writes::Kind>) -> Result<Coherence<World>> {
    let file = seed::school_file(&steps::folder()?, &School::SMALL, &Progress::new(true))?;
    let mut check = check_coherent(move || World {
        db: Arc::new(Db::open_copy(&file, 4).expect("a copy of the school")),
        cache: Larder::memory(1_000),
        truth: Truth::default(),
    });
    for kind in Kind::ALL {
        check = check.blocking_reader(
            kind.name(),
            move |world, number| world.rows(&world.cache, route(kind, number as u32 + 1)),
            move |world, number| world.rows(&Larder::disabled(), route(kind, number as u32 + 1)),
        );
    }
    for kind in writes::Kind::ALL {
        check = check.blocking_writer(kind.name(), move |world, number| {
            world.write(write(kind, number as u32 + 1), omitted);
        });
    }
    Ok(check)
}
