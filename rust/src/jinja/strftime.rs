//! Dates as C's `strftime` writes them.

use super::Result;

const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

struct Time {
    year: i64,
    /// From 0.
    month: usize,
    day: i64,
    /// From Sunday.
    weekday: usize,
    /// From 0.
    day_of_year: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

/// The years of Python's `datetime`, in seconds.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;

/// `now` in seconds since 1970, of local time.
pub fn strftime(format: &str, now: i64) -> Result<String> {
    if !(FIRST..=LAST).contains(&now) {
        return Err(format!(
            "expected a time in the years 1 to 9999, found {now} seconds"
        ));
    }
    let time = Time::of(now);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut kind = chars.next();
        let flag = kind.filter(|flag| "-_0^".contains(*flag));
        if flag.is_some() {
            kind = chars.next();
        }
        let kind = kind.ok_or("strftime: the format ends with %")?;
        time.write(kind, flag, &mut out)?;
    }
    Ok(out)
}

impl Time {
    /// Days to a date: Howard Hinnant, "chrono-compatible low-level date algorithms".
    fn of(now: i64) -> Self {
        let days = now.div_euclid(86_400);
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let from_march = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * from_march + 2) / 153;
        let month = (month_from_march + 2) % 12;
        let year = year_of_era + era * 400 + i64::from(month < 2);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let january_first = if month < 2 {
            306
        } else {
            -59 - i64::from(leap)
        };
        let second = now.rem_euclid(86_400);
        Self {
            year,
            month: month as usize,
            day: from_march - (153 * month_from_march + 2) / 5 + 1,
            weekday: (days + 4).rem_euclid(7) as usize,
            day_of_year: from_march - january_first,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    fn write(&self, kind: char, flag: Option<char>, out: &mut String) -> Result<()> {
        let mut number = |value: i64, width: usize, fill: char| {
            let fill = match flag {
                Some('_') => ' ',
                Some('0') => '0',
                _ => fill,
            };
            let text = value.to_string();
            let width = if flag == Some('-') { 0 } else { width };
            out.extend(std::iter::repeat_n(fill, width.saturating_sub(text.len())));
            out.push_str(&text);
        };
        let twelve = (self.hour + 11) % 12 + 1;
        match kind {
            'Y' => number(self.year, 0, '0'),
            'm' => number(self.month as i64 + 1, 2, '0'),
            'd' => number(self.day, 2, '0'),
            'e' => number(self.day, 2, ' '),
            'H' => number(self.hour, 2, '0'),
            'k' => number(self.hour, 2, ' '),
            'I' => number(twelve, 2, '0'),
            'l' => number(twelve, 2, ' '),
            'M' => number(self.minute, 2, '0'),
            'S' => number(self.second, 2, '0'),
            'f' => number(0, 6, '0'),
            'j' => number(self.day_of_year + 1, 3, '0'),
            'y' => number(self.year % 100, 2, '0'),
            'C' => number(self.year / 100, 2, '0'),
            'u' => number((self.weekday as i64 + 6) % 7 + 1, 0, '0'),
            'w' => number(self.weekday as i64, 0, '0'),
            'U' => number((self.day_of_year + 7 - self.weekday as i64) / 7, 2, '0'),
            'W' => number(
                (self.day_of_year + 7 - (self.weekday as i64 + 6) % 7) / 7,
                2,
                '0',
            ),
            _ => return self.write_text(kind, flag, out),
        }
        Ok(())
    }

    fn write_text(&self, kind: char, flag: Option<char>, out: &mut String) -> Result<()> {
        let (day, month) = (DAYS[self.weekday], MONTHS[self.month]);
        let text = match kind {
            'A' => day,
            'a' => &day[..3],
            'B' => month,
            'b' | 'h' => &month[..3],
            'p' => {
                if self.hour < 12 {
                    "AM"
                } else {
                    "PM"
                }
            }
            'n' => "\n",
            't' => "\t",
            '%' => "%",
            // A time without a zone.
            'Z' | 'z' => "",
            _ => {
                let parts = match kind {
                    'F' => "%Y-%m-%d",
                    'T' | 'X' => "%H:%M:%S",
                    'R' => "%H:%M",
                    'D' | 'x' => "%m/%d/%y",
                    'c' => "%a %b %e %H:%M:%S %Y",
                    'r' => "%I:%M:%S %p",
                    _ => return Err(format!("strftime: %{kind} is not supported")),
                };
                for part in parts.split_inclusive(|c: char| c.is_ascii_alphabetic()) {
                    let (between, kind) = part.split_once('%').unwrap_or((part, ""));
                    out.push_str(between);
                    if let Some(kind) = kind.chars().next() {
                        self.write(kind, None, out)?;
                    }
                }
                return Ok(());
            }
        };
        match flag {
            Some('^') => out.push_str(&text.to_uppercase()),
            _ => out.push_str(text),
        }
        Ok(())
    }
}
