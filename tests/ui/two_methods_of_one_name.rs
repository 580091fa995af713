use larder::cached;

trait Users {
    fn get(&self, id: u64) -> String;
}

trait Courses {
    fn get(&self, id: u64) -> u64;
}

struct Db(u64);

#[cached]
impl Users for Db {
    #[cached(key = "db:{self.0}:user:{id}", ttl = "5m")]
    fn get(&self, id: u64) -> String {
        id.to_string()
    }
}

#[cached]
impl Courses for Db {
    #[cached(key = "db:{self.0}:course:{id}", ttl = "5m")]
    fn get(&self, id: u64) -> u64 {
        id
    }
}

impl Db {
    #[cached(key = "db:{self.0}:all", ttl = "5m")]
    fn all(&self) -> String {
        String::new()
    }

    #[cached(key = "db:{self.0}:all", ttl = "5m")]
    fn all(&self) -> String {
        String::new()
    }
}

fn main() {}
