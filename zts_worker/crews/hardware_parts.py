"""Decides which classes of parts there are, what they draw and cost, and which words of an idea ask for them.

Currents (mA at 3.3 V) and prices (euros for one piece in small quantities) are rounded from the makers' data sheets
of the named example and from distributors' lists of 2024: good for a first budget, to be measured on the bench.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zts_worker.crews.reading.signs import Signs, signs

Role = Literal["controller", "radio", "sensor", "output", "power", "mechanics"]
Bus = Literal["I2C", "SPI", "UART", "ADC", "GPIO", "PWM", "1-Wire", "power", "none"]


@dataclass(frozen=True, slots=True)
class Part:
    """A class of part and an example of it. `active_seconds` is how long it works each time the device wakes."""

    key: str
    part_class: str
    example: str
    role: Role
    bus: Bus
    active_ma: float
    sleep_ma: float
    active_seconds: float
    cost_eur: float
    sign: Signs | None = None
    address: int | None = None


def _sensor(
    key: str,
    what: tuple[str, str],
    bus: Bus,
    draws: tuple[float, float, float],
    cost: float,
    sign: str,
    *,
    at: int | None = None,
) -> Part:
    return Part(key, what[0], what[1], "sensor", bus, draws[0], draws[1], draws[2], cost, signs(sign), at)


def _output(
    key: str,
    what: tuple[str, str],
    bus: Bus,
    draws: tuple[float, float, float],
    cost: float,
    sign: str,
    *,
    at: int | None = None,
) -> Part:
    return Part(key, what[0], what[1], "output", bus, draws[0], draws[1], draws[2], cost, signs(sign), at)


SENSORS: tuple[Part, ...] = (
    _sensor("soil_moisture", ("capacitive soil moisture sensor", "SEN0193"), "ADC", (5.0, 0.0, 0.5), 1.2,
            r"soil moisture|moisture sensor|moisture"),
    _sensor("climate", ("temperature and humidity sensor", "SHT40"), "I2C", (0.4, 0.0001, 0.1), 1.6,
            r"humidity|hygrometer", at=0x44),
    _sensor("temperature", ("temperature sensor", "DS18B20"), "1-Wire", (1.5, 0.001, 0.8), 1.3,
            r"temperatures?|thermometer"),
    _sensor("light", ("ambient light sensor", "BH1750"), "I2C", (0.2, 0.001, 0.2), 0.9,
            r"light (?:sensor|level)|brightness|lux|daylight|darkness", at=0x23),
    _sensor("motion", ("passive infrared motion sensor", "AM312"), "GPIO", (0.02, 0.012, 1.0), 1.5,
            r"motion (?:sensor|detector)|detects? (?:motion|movement|presence)|pir|presence"),
    _sensor("acceleration", ("accelerometer", "LIS2DH12"), "I2C", (0.2, 0.002, 0.5), 1.1,
            r"accelerometers?|vibrations?|shakes?|tilt\w*|falls? detection|steps? counter|gyroscope", at=0x19),
    _sensor("weight", ("load cell with amplifier", "HX711"), "GPIO", (1.6, 0.001, 0.6), 4.5,
            r"weigh(?:s|ing)?|weight|load cell|scales?"),
    _sensor("carbon_dioxide", ("carbon dioxide sensor", "SCD41"), "I2C", (15.0, 0.001, 5.0), 18.0,
            r"co2|carbon dioxide", at=0x62),
    _sensor("particles", ("particulate matter sensor", "PMS5003"), "UART", (100.0, 0.2, 30.0), 13.0,
            r"air quality|particulate|particles?|pm2\.?5|smoke"),
    _sensor("pressure", ("barometric pressure sensor", "BMP390"), "I2C", (0.7, 0.002, 0.1), 2.6,
            r"barometer|air pressure|barometric|altitude", at=0x77),
    _sensor("distance", ("time-of-flight distance sensor", "VL53L1X"), "I2C", (18.0, 0.005, 0.2), 4.0,
            r"distance|fill level|water level|tank level|ultrasonic", at=0x29),
    _sensor("pulse", ("heart-rate sensor", "MAX30102"), "I2C", (1.2, 0.001, 10.0), 3.2, r"heart ?rate|pulse|spo2",
            at=0x57),
    _sensor("position", ("satellite positioning module", "u-blox MAX-M10S"), "UART", (25.0, 0.015, 30.0), 9.0,
            r"gps|gnss|position tracking"),
    _sensor("sound", ("digital microphone", "ICS-43434"), "I2C", (0.5, 0.012, 2.0), 1.8,
            r"microphones?|noise level|sound level"),
    _sensor("camera", ("camera module", "OV2640"), "SPI", (120.0, 0.0, 2.0), 6.0, r"cameras?|takes? (?:a )?pictures?"),
    _sensor("current", ("current clamp", "SCT-013"), "ADC", (0.1, 0.0, 1.0), 6.5,
            r"current clamp|power consumption|energy meter|electricity use"),
    _sensor("contact", ("reed contact", "magnet and reed switch"), "GPIO", (0.01, 0.0, 0.1), 0.6,
            r"door (?:sensor|contact)|window (?:sensor|contact)|reed|opens? the (?:door|lid)"),
    _sensor("nfc", ("near-field reader", "PN532"), "I2C", (60.0, 0.01, 0.5), 4.0, r"nfc|rfid|key ?cards?", at=0x24),
    _sensor("button", ("push button", "6 mm tactile switch"), "GPIO", (0.0, 0.0, 0.0), 0.1, r"buttons?|press(?:es)?"),
)  # fmt: skip

OUTPUTS: tuple[Part, ...] = (
    _output("led", ("light-emitting diode with resistor", "3 mm LED"), "GPIO", (5.0, 0.0, 0.2), 0.06,
            r"leds?|blinks?|status light|indicator light|lights? up"),
    _output("buzzer", ("piezo buzzer", "PKM13EPYH"), "PWM", (8.0, 0.0, 0.5), 0.5, r"buzzers?|beeps?|alarm sound"),
    _output("paper_display", ("electronic paper display", "1.54 inch e-paper"), "SPI", (8.0, 0.001, 2.0), 7.5,
            r"e-?paper|e-?ink"),
    _output("display", ("organic LED display", "SSD1306"), "I2C", (18.0, 0.01, 3.0), 2.8,
            r"displays?|oled|lcd", at=0x3C),
    _output("relay", ("relay with driver", "G5NB"), "GPIO", (70.0, 0.0, 2.0), 1.4,
            r"relays?|switch(?:es)? the (?:lamp|heater|mains)"),
    _output("pump", ("small pump with transistor", "5 V diaphragm pump"), "PWM", (220.0, 0.0, 4.0), 3.8,
            r"pumps?|waters the plants?|watering"),
    _output("servo", ("servo motor", "SG90"), "PWM", (150.0, 5.0, 1.0), 2.9,
            r"servos?|opens? the (?:valve|flap|hatch)|feeds? the"),
    _output("motor", ("motor with driver", "N20 and DRV8833"), "PWM", (300.0, 0.002, 2.0), 5.5,
            r"motors?|robots?|wheels?"),
    _output("vibration", ("vibration motor", "10 mm coin motor"), "PWM", (70.0, 0.0, 0.5), 1.1, r"vibrates?|haptic"),
    _output("speaker", ("loudspeaker with amplifier", "MAX98357A"), "I2C", (120.0, 0.002, 2.0), 3.5,
            r"loudspeakers?|speaker|plays? (?:a )?(?:sound|song|melody|voice)"),
)  # fmt: skip

LORA = Part("lora", "LoRa radio", "SX1262 module", "radio", "SPI", 45.0, 0.001, 1.5, 5.5, signs(r"lora(?:wan)?"))
CELLULAR = Part(
    "cellular",
    "LTE-M modem",
    "SIM7080G",
    "radio",
    "UART",
    140.0,
    0.01,
    20.0,
    11.0,
    signs(r"lte(?:-m)?|gsm|4g|nb-iot|sim card|cellular"),
)


def _controller(key: str, example: str, draws: tuple[float, float, float], cost: float, sign: str) -> Part:
    return Part(key, "microcontroller", example, "controller", "power", *draws, cost, signs(sign))


CONTROLLERS: tuple[Part, ...] = (
    _controller("esp32", "ESP32-C3-MINI-1", (80.0, 0.006, 3.0), 2.3, r"esp32\S*|esp8266|wi-?fi"),
    _controller(
        "nrf52", "nRF52832 module", (8.0, 0.002, 2.0), 4.2, r"nrf52\S*|bluetooth(?: low energy)?|ble|zigbee|thread"
    ),
    _controller("pi", "Raspberry Pi Zero 2 W", (350.0, 100.0, 60.0), 17.0, r"raspberry pi"),
    _controller("rp2040", "RP2040 board", (25.0, 0.2, 2.0), 1.9, r"rp2040|pico"),
    _controller("atmega", "ATmega328P", (6.0, 0.001, 1.0), 2.1, r"arduino|atmega\S*|microcontrollers?"),
)
"""In the order in which words decide: a named chip or its radio first, the plainest last."""


@dataclass(frozen=True, slots=True)
class Supply:
    """A power source: capacity in mAh (0 for the mains), most it can give in mA, price, shelf life in hours."""

    key: str
    name: str
    capacity_mah: float
    most_ma: float
    cost_eur: float
    shelf_hours: float
    sign: Signs


SUPPLIES: tuple[Supply, ...] = (
    Supply("coin", "CR2032 coin cell", 220.0, 15.0, 0.7, 61320.0, signs(r"coin cells?|cr2032|button cells?")),
    Supply("aaa", "two AAA alkaline cells", 1100.0, 400.0, 1.0, 43800.0, signs(r"aaa(?: (?:cells?|batter\w+))?")),
    Supply("aa", "two AA alkaline cells", 2500.0, 600.0, 1.1, 43800.0, signs(r"aa(?: (?:cells?|batter\w+))?")),
    Supply("lipo", "lithium polymer cell, 1000 mAh", 1000.0, 1000.0, 4.5, 26280.0,
           signs(r"lipo|lithium(?:[- ]\w+)?|rechargeable|recharged?")),
    Supply("18650", "lithium-ion 18650 cell", 3000.0, 3000.0, 5.5, 26280.0, signs(r"18650|li-ion")),
    Supply("usb", "USB power supply, 5 V", 0.0, 2000.0, 4.0, 0.0,
            signs(r"usb|mains|plugged in|power outlet|wall socket|socket")),
)  # fmt: skip
"""From the smallest to the largest; the shelf life is the makers' for storage at 20 degrees."""

BOARD = Part("board", "printed circuit board", "two layers, 50 by 30 mm", "mechanics", "none", 0.0, 0.0, 0.0, 1.0)
PASSIVES = Part("passives", "resistors, capacitors, connectors", "0603 set", "mechanics", "none", 0.0, 0.0, 0.0, 0.5)
ENCLOSURE = Part("enclosure", "enclosure", "3D-printed, two parts", "mechanics", "none", 0.0, 0.0, 0.0, 1.4)
REGULATOR = Part("regulator", "voltage regulator", "TPS61099 boost", "power", "power", 0.0, 0.002, 0.0, 0.8)
