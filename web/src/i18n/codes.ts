// What the controller's state texts are called: the API gives the tables' own English words.

/** Table text -> English and German for a person. */
const TEXTS: Record<string, readonly [string, string]> = {
  "heating": ["Heating", "Heizen"],
  "hot water": ["Hot water", "Warmwasser"],
  "domestic water": ["Hot water", "Warmwasser"],
  "swimming pool/solar": ["Pool or solar", "Schwimmbad oder Solar"],
  "evu": ["Utility lock (EVU)", "EVU-Sperre"],
  "defrost": ["Defrosting", "Abtauen"],
  "no request": ["No request", "Keine Anforderung"],
  "heating external source": ["Heating, external source", "Heizen, externe Quelle"],
  "heating external engery source": ["Heating, external source", "Heizen, externe Quelle"],
  "domestic water external energy source": ["Hot water, external source", "Warmwasser, externe Quelle"],
  "cooling": ["Cooling", "Kühlen"],
  "heatpump running": ["Heat pump running", "Wärmepumpe läuft"],
  "heatpump idle": ["Heat pump idle", "Wärmepumpe steht"],
  "heatpump coming": ["Heat pump starting", "Wärmepumpe kommt"],
  "errorcode slot 0": ["Error", "Fehler"],
  "witing on LIN connection": ["Waiting for LIN connection", "Warten auf LIN-Verbindung"],
  "compressor heating up": ["Compressor heating up", "Verdichter heizt auf"],
  "pump forerun": ["Pump forerun", "Pumpenvorlauf"],
  "since": ["for", "seit"],
  "in": ["in", "in"],
  "grid switch on delay": ["Mains-on delay", "Netzeinschaltverzögerung"],
  "cycle lock": ["Cycle lock", "Schaltspielsperre"],
  "lock time": ["Lock time", "Sperrzeit"],
  "info bake out program": ["Screed drying", "Ausheizprogramm"],
  "thermal desinfection": ["Thermal disinfection", "Thermische Desinfektion"],
  "flow monitoring": ["Flow monitoring", "Durchflussüberwachung"],
  "second heat generator 1 active": ["Second heat generator 1 active", "Zweiter Wärmeerzeuger 1 aktiv"],
  "one compressor allowed to run": ["One compressor allowed", "Ein Verdichter frei"],
  "two compressors allowed to run": ["Two compressors allowed", "Zwei Verdichter frei"],
  "additional compressor allowed to run": ["Additional heat generator allowed", "Zusätzlicher Erzeuger frei"],
  "Automatic": ["Automatic", "Automatik"],
  "Second heatsource": ["Second heat generator", "Zweiter Wärmeerzeuger"],
  "Party": ["Party", "Party"],
  "Holidays": ["Holidays", "Ferien"],
  "Off": ["Off", "Aus"],
};

/** The text in a language; one that is not in the table as it is, with a capital. */
export function codeText(text: string, isGerman: boolean): string {
  const known = TEXTS[text];
  return known ? known[isGerman ? 1 : 0] : text.charAt(0).toUpperCase() + text.slice(1);
}
