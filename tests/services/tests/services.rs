//! Each of the servers starts, answers, dies, comes back, and leaves nothing behind.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use autopr_services::{
    Certificate, Fault, FaultProxy, Moto, PgBouncer, Postgres, PostgresOptions, Redis, RedisOptions, Stop,
};

#[test]
fn what_postgres_has_committed_outlives_every_way_it_can_end() {
    let mut postgres = Postgres::start();
    let url = postgres.create_database("shop");
    assert_eq!(url, format!("postgresql://autopr@127.0.0.1:{}/shop", postgres.port()));
    postgres.psql("shop", "CREATE TABLE orders (id bigint)");
    let ends: [fn(&mut Postgres); 4] = [
        Postgres::kill,
        |postgres| postgres.stop(Stop::Fast),
        |postgres| postgres.stop(Stop::Immediate),
        |_| (), // to be started again as it runs
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let number = number.to_string();
        postgres.psql("shop", "INSERT INTO orders SELECT count(*) FROM orders");
        end(&mut postgres);
        postgres.restart();
        assert_eq!(postgres.psql("shop", "SELECT max(id) FROM orders"), number, "after end {number}");
        assert_eq!(postgres.create_database(&number), postgres.url(&number), "the port is the same");
    }
    let folder = postgres.psql("shop", "SHOW data_directory");
    assert!(Path::new(&folder).exists());
    drop(postgres);
    assert!(!Path::new(&folder).exists(), "{folder} is left");
}

#[test]
fn a_paused_postgres_answers_when_it_goes_on() {
    let postgres = Postgres::shared();
    postgres.pause();
    std::thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        scope.spawn(move || tell.send(postgres.psql("postgres", "SELECT 1")));
        assert_eq!(told.recv_timeout(Duration::from_millis(300)), Err(mpsc::RecvTimeoutError::Timeout));
        postgres.resume();
        assert_eq!(told.recv().as_deref(), Ok("1"));
    });
}

#[test]
fn postgres_takes_settings_and_tls() {
    let postgres = Postgres::start_with(&PostgresOptions {
        durable: true,
        settings: vec![("statement_timeout".into(), "12345".into())],
        certificate: Some(Certificate::for_loopback()),
    });
    assert_eq!(postgres.psql("postgres", "SHOW fsync"), "on");
    assert_eq!(postgres.psql("postgres", "SHOW statement_timeout"), "12345ms");
    let tls = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    assert_eq!(postgres.psql("postgres?sslmode=require", tls), "t");
    assert_eq!(postgres.psql("postgres?sslmode=disable", tls), "f");
}

#[test]
fn pgbouncer_passes_transactions_on() {
    let postgres = Postgres::start();
    postgres.create_database("shop");
    let mut pgbouncer = PgBouncer::start(&postgres, 2);
    assert_eq!(pgbouncer.url("shop"), format!("postgresql://autopr@{}/shop", pgbouncer.address()));
    let database =
        |pgbouncer: &PgBouncer| postgres.psql_through(&pgbouncer.address(), "shop", "SELECT current_database()");
    assert_eq!(database(&pgbouncer), "shop");
    pgbouncer.kill();
    pgbouncer.restart();
    assert_eq!(database(&pgbouncer), "shop");
}

#[test]
fn redis_forgets_and_answers_again() {
    let mut redis = Redis::start(RedisOptions::default());
    assert_eq!(redis.url(), format!("redis://{}/0", redis.address()));
    for end in [Redis::kill, Redis::stop, |redis: &mut Redis| redis.pause()] {
        assert_eq!(redis.run(&["set", "key", "value"]), "OK");
        end(&mut redis);
        if redis.runs() {
            redis.resume();
            assert_eq!(redis.run(&["get", "key"]), "value");
        } else {
            redis.restart();
            assert_eq!(redis.run(&["get", "key"]), "");
        }
    }
}

#[test]
fn redis_takes_tls_and_a_user() {
    let user = Some(("autopr".to_owned(), "pass".to_owned()));
    let certificate = Some(Certificate::for_loopback());
    let redis = Redis::start(RedisOptions { certificate, user, ..RedisOptions::default() });
    assert_eq!(redis.url(), format!("rediss://autopr:pass@{}/0", redis.address()));
    assert_eq!(redis.run(&["acl", "whoami"]), "autopr");
}

#[test]
fn moto_answers_until_it_is_killed() {
    let mut moto = Moto::start();
    assert_eq!(moto.endpoint(), format!("http://{}", moto.address()));
    TcpStream::connect(moto.address()).expect("it listens");
    moto.kill();
    assert_eq!(
        TcpStream::connect(moto.address()).map(drop).map_err(|error| error.kind()),
        Err(ErrorKind::ConnectionRefused)
    );
}

#[test]
fn the_proxy_does_to_connections_what_it_is_told() {
    let redis = Redis::start(RedisOptions::default());
    let proxy = FaultProxy::start(&redis.address());
    let connect = || TcpStream::connect(proxy.address());
    let mut open = connect().expect("a connection");
    ping(&mut open).expect("passed on");
    assert_eq!(proxy.connections(), 1);

    proxy.reset();
    assert_eq!(ping(&mut open), Err(ErrorKind::ConnectionReset));
    let mut open = connect().expect("a connection");
    ping(&mut open).expect("only what was open is reset");

    proxy.set(Fault::Latency(Duration::from_millis(40)));
    let begun = Instant::now();
    ping(&mut open).expect("late");
    assert!(begun.elapsed() >= Duration::from_millis(80), "{:?}", begun.elapsed());

    proxy.set(Fault::Blackhole);
    let mut new = connect().expect("taken");
    assert_eq!([ping(&mut open), ping(&mut new)], [Err(ErrorKind::WouldBlock); 2]);
    proxy.set(Fault::Pass);
    for late in [&mut open, &mut new] {
        answer(late).expect("what was taken follows");
    }

    proxy.set(Fault::Reset);
    assert_eq!(ping(&mut open), Err(ErrorKind::ConnectionReset));
    assert!(connect().map_err(|error| error.kind()).and_then(|mut new| ping(&mut new)).is_err());

    proxy.set(Fault::Refuse);
    assert_eq!(connect().map(drop).map_err(|error| error.kind()), Err(ErrorKind::ConnectionRefused));
    proxy.set(Fault::Pass);
    ping(&mut connect().expect("it listens again")).expect("passed on");
}

fn ping(stream: &mut TcpStream) -> Result<(), ErrorKind> {
    stream.write_all(b"PING\r\n").map_err(|error| error.kind())?;
    answer(stream)
}

/// Waits for an answer, for a moment that is long to a server on the same machine.
fn answer(stream: &mut TcpStream) -> Result<(), ErrorKind> {
    stream.set_read_timeout(Some(Duration::from_millis(500))).expect("a time-out");
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).map_err(|error| error.kind())?;
    assert_eq!(&answer, b"+PONG\r\n");
    Ok(())
}
