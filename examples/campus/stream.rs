//! One seeded stream of requests from many users: who asks for what, and who writes what.

use larder_traces::Trace;

use super::Result;
use super::options::Options;
use super::pages::Route;
use super::random::{Random, Zipf};
use super::schema::School;
use super::words::count;
use super::writes::Write;

/// How much busier the busiest users are: the user of rank r asks with a weight of 1 / r^SKEW.
pub const SKEW: f64 = 1.0;

#[derive(Clone, Copy, Debug)]
pub enum Request {
    Read(Route),
    Write(Write),
}

pub struct Stream {
    pub requests: Vec<Request>,
    /// What a warm-up opens: the pages of all users that are signed in.
    pub warm_up: Vec<Route>,
    /// In a few words, for people.
    pub description: String,
}

impl Stream {
    pub fn new(options: &Options, school: &School) -> Result<Self> {
        match &options.trace {
            None => Ok(Self::of_users(options, school)),
            Some(file) => Ok(Self::of_trace(options, school, &larder_traces::read(file)?)),
        }
    }

    fn of_users(options: &Options, school: &School) -> Self {
        let mut random = Random::seeded(options.seed);
        let users = users(options.users, school, &mut random);
        let busy = Zipf::new(users.len(), SKEW);
        let mut writer = Writer::new(options, school);
        let requests = (0..options.requests())
            .map(|_| {
                let user = users[busy.draw(&mut random)];
                writer.instead_of(user.route(&mut random))
            })
            .collect();
        let warm_up = users.iter().flat_map(|user| user.routes()).collect();
        Self {
            requests,
            warm_up,
            description: format!("{} users, skew Zipf {SKEW:.1}", count(options.users)),
        }
    }

    /// The keys of a real trace in their order, each standing for one page.
    fn of_trace(options: &Options, school: &School, trace: &Trace) -> Self {
        let mut writer = Writer::new(options, school);
        let pages = pages_in_order(school);
        let accesses = trace.accesses.iter().cycle().take(options.requests());
        let requests = accesses.map(|&key| writer.instead_of(pages[key as usize % pages.len()])).collect();
        let description = format!(
            "a trace of {} accesses to {} keys",
            count(trace.accesses.len() as u64),
            count(trace.unique_keys)
        );
        Self { requests, warm_up: vec![Route::AdminDashboard], description }
    }
}

#[derive(Clone, Copy)]
enum User {
    Student(u32),
    Teacher(u32),
    Admin,
}

/// The users that are signed in, the busiest first: 85 % students, 12 % teachers, 3 % administrators.
fn users(count: usize, school: &School, random: &mut Random) -> Vec<User> {
    let mut students: Vec<u32> = (1..=school.students).collect();
    let mut teachers: Vec<u32> = (1..=school.teachers).collect();
    random.shuffle(&mut students);
    random.shuffle(&mut teachers);
    let mut students = students.into_iter().cycle();
    let mut teachers = teachers.into_iter().cycle();
    (0..count)
        .map(|user| match user % 33 {
            20 => User::Admin,
            number if number % 8 == 7 => User::Teacher(teachers.next().unwrap_or(1)),
            _ => User::Student(students.next().unwrap_or(1)),
        })
        .collect()
}

impl User {
    fn routes(self) -> Vec<Route> {
        match self {
            Self::Student(student) => {
                vec![Route::StudentDashboard { student }, Route::StudentCourses { student }]
            }
            Self::Teacher(teacher) => {
                vec![Route::TeacherDashboard { teacher }, Route::TeacherCourses { teacher }]
            }
            Self::Admin => vec![Route::AdminDashboard],
        }
    }

    fn route(self, random: &mut Random) -> Route {
        let routes = self.routes();
        routes[if random.chance(0.6) { 0 } else { routes.len() - 1 }]
    }
}

/// Every page there is, in a seeded order and in about the proportions in which users ask for them.
fn pages_in_order(school: &School) -> Vec<Route> {
    let mut random = Random::seeded(7);
    let everyone = users((school.students + school.teachers) as usize, school, &mut random);
    let mut pages: Vec<Route> = everyone.into_iter().flat_map(|user| user.routes()).collect();
    random.shuffle(&mut pages);
    pages
}

/// Turns a share of the requests into writes.
struct Writer<'a> {
    school: &'a School,
    random: Random,
    ratio: f64,
}

impl<'a> Writer<'a> {
    fn new(options: &Options, school: &'a School) -> Self {
        Self { school, random: Random::seeded(options.seed ^ 0x5eed), ratio: options.write_ratio }
    }

    fn instead_of(&mut self, route: Route) -> Request {
        if !self.random.chance(self.ratio) {
            return Request::Read(route);
        }
        let random = &mut self.random;
        let student = match route {
            Route::StudentDashboard { student } | Route::StudentCourses { student } => student,
            _ => 1 + random.below(self.school.students),
        };
        let course = 1 + random.below(self.school.courses);
        Request::Write(match random.below(100) {
            0..30 => Write::Enrol { student, course },
            30..55 => Write::Pay { student, cents: 5_000 + 100 * random.below(400) },
            55..90 => Write::Grade { student, score: 40 + random.below(61) },
            90..98 => Write::EditCourse { course, credits: 2 + random.below(5) },
            _ => Write::EditCategory { category: 1 + random.below(self.school.categories) },
        })
    }
}
