//! Every word that a person reads, in the three languages, side by side.

/// A language of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// French.
    French,
    /// German.
    German,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::English, Self::French, Self::German];

    /// Its code (BCP 47).
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
        }
    }

    /// What it calls itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::French => "Français",
            Self::German => "Deutsch",
        }
    }

    /// The language of that code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The first of the languages that a browser accepts which is one of ours.
    #[must_use]
    pub fn accepted(header: &str) -> Option<Self> {
        let codes = header.split(',').filter_map(|one| one.split([';', '-']).next());
        codes.filter_map(|code| Self::of_code(code.trim())).next()
    }

    /// One of three.
    #[must_use]
    pub const fn pick(self, [english, french, german]: [&'static str; 3]) -> &'static str {
        match self {
            Self::English => english,
            Self::French => french,
            Self::German => german,
        }
    }
}

macro_rules! texts {
    ($($name:ident = $english:literal, $french:literal, $german:literal;)+) => {
        /// A text of the console.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is what it says")]
        pub enum Text {
            $($name,)+
        }

        impl Text {
            /// Every text.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The text in a language.
            #[must_use]
            pub const fn in_language(self, language: Language) -> &'static str {
                match self {
                    $(Self::$name => language.pick([$english, $french, $german]),)+
                }
            }
        }
    };
}

texts! {
    Product = "Clavis", "Clavis", "Clavis";
    SkipToContent = "Skip to content", "Aller au contenu", "Zum Inhalt";
    Menu = "Main menu", "Menu principal", "Hauptmenü";
    Login = "Log in", "Se connecter", "Anmelden";
    LoginTitle = "Welcome back", "Bienvenue", "Willkommen";
    LoginIntro = "Log in to see your machines and the keys that protect them.",
        "Connectez-vous pour voir vos machines et les clés qui les protègent.",
        "Melden Sie sich an, um Ihre Maschinen und deren Schlüssel zu sehen.";
    LoginName = "Login", "Identifiant", "Anmeldename";
    Password = "Password", "Mot de passe", "Passwort";
    LoginWrong = "Login or password are not right.", "L’identifiant ou le mot de passe est incorrect.",
        "Anmeldename oder Passwort stimmen nicht.";
    LogOut = "Log out", "Se déconnecter", "Abmelden";
    Language = "Language", "Langue", "Sprache";
    Change = "Change", "Changer", "Wechseln";
    Dashboard = "Dashboard", "Tableau de bord", "Übersicht";
    Machines = "Virtual machines", "Machines virtuelles", "Virtuelle Maschinen";
    Machine = "Virtual machine", "Machine virtuelle", "Virtuelle Maschine";
    Activities = "Activities", "Activités", "Vorgänge";
    Activity = "Activity", "Activité", "Vorgang";
    KeysAndAudit = "Keys and audit", "Clés et audit", "Schlüssel und Protokoll";
    Tenant = "Tenant", "Tenant", "Mandant";
    Encrypted = "Encrypted", "Chiffrées", "Verschlüsselt";
    InClear = "In clear", "En clair", "Unverschlüsselt";
    Running = "Running", "Allumées", "Eingeschaltet";
    UnderWay = "Under way", "En cours", "In Arbeit";
    Storage = "Storage", "Stockage", "Speicherplatz";
    Memory = "Memory", "Mémoire", "Arbeitsspeicher";
    MemoryOfCpools = "Memory of the clusters", "Mémoire des clusters", "Arbeitsspeicher der Cluster";
    Used = "used", "utilisé", "belegt";
    Of = "of", "sur", "von";
    Consumption = "What is charged", "Ce qui est facturé", "Was berechnet wird";
    Sku = "Service", "Service", "Dienst";
    Amount = "Amount", "Quantité", "Menge";
    Findings = "What to look at", "À surveiller", "Worauf zu achten ist";
    NoFindings = "Every promise of the platform is kept.", "Toutes les promesses de la plateforme sont tenues.",
        "Alle Zusagen der Plattform sind eingehalten.";
    LatestActivities = "Latest activities", "Dernières activités", "Letzte Vorgänge";
    Search = "Search", "Rechercher", "Suchen";
    SearchHint = "Name or identifier", "Nom ou identifiant", "Name oder Kennung";
    Name = "Name", "Nom", "Name";
    Power = "Power", "Alimentation", "Zustand";
    Encryption = "Encryption", "Chiffrement", "Verschlüsselung";
    On = "On", "Activé", "Aktiviert";
    Off = "Off", "Désactivé", "Deaktiviert";
    Cpool = "Cluster", "Cluster", "Cluster";
    Host = "Host", "Hôte", "Host";
    Cpus = "CPUs", "CPU", "CPUs";
    NoMachines = "No virtual machine matches.", "Aucune machine virtuelle ne correspond.",
        "Keine virtuelle Maschine passt dazu.";
    Next = "Next page", "Page suivante", "Nächste Seite";
    First = "First page", "Première page", "Erste Seite";
    PoweredOn = "Powered on", "Allumée", "Eingeschaltet";
    PoweredOff = "Powered off", "Éteinte", "Ausgeschaltet";
    Suspended = "Suspended", "Suspendue", "Angehalten";
    Processing = "Processing", "En traitement", "In Bearbeitung";
    HostDisconnected = "Host disconnected", "Hôte déconnecté", "Host nicht erreichbar";
    Invalid = "Invalid", "Invalide", "Ungültig";
    PowerOn = "Power on", "Allumer", "Einschalten";
    PowerOff = "Power off", "Éteindre", "Ausschalten";
    General = "General", "Général", "Allgemein";
    Disks = "Disks", "Disques", "Festplatten";
    Datastore = "Datastore", "Datastore", "Datastore";
    Capacity = "Capacity", "Capacité", "Größe";
    Snapshots = "Snapshots", "Snapshots", "Schnappschüsse";
    None = "none", "aucun", "keine";
    Policies = "Backup policies", "Politiques de sauvegarde", "Sicherungsrichtlinien";
    Key = "Key", "Clé", "Schlüssel";
    Provider = "Key provider", "Fournisseur de clés", "Schlüsselanbieter";
    EncryptVm = "Encrypt the virtual machine", "Chiffrer la machine virtuelle", "Virtuelle Maschine verschlüsseln";
    EncryptQuestion = "Do you really want to encrypt the virtual machine",
        "Voulez-vous vraiment chiffrer la machine virtuelle", "Möchten Sie die virtuelle Maschine wirklich verschlüsseln:";
    EncryptExplained = "Its disks are written anew under a key of your own. It stays powered off meanwhile; nothing inside it changes.",
        "Ses disques sont réécrits sous une clé qui n’appartient qu’à vous. Elle reste éteinte pendant ce temps ; rien ne change à l’intérieur.",
        "Ihre Festplatten werden unter einem eigenen Schlüssel neu geschrieben. Sie bleibt solange ausgeschaltet; in ihr ändert sich nichts.";
    Encrypt = "Encrypt", "Chiffrer", "Verschlüsseln";
    Cancel = "Cancel", "Annuler", "Abbrechen";
    NotYet = "It cannot be encrypted yet", "Elle ne peut pas encore être chiffrée", "Noch kann sie nicht verschlüsselt werden";
    NotYetIntro = "Put these right, and the padlock opens:", "Corrigez ceci, et le cadenas s’ouvrira :",
        "Wenn das behoben ist, öffnet sich das Schloss:";
    Refused = "This was refused", "Cela a été refusé", "Das wurde abgelehnt";
    WhatToDo = "What to do", "Que faire", "Was zu tun ist";
    Rekey = "New key", "Nouvelle clé", "Neuer Schlüssel";
    RekeyShallow = "New key, same disks", "Nouvelle clé, mêmes disques", "Neuer Schlüssel, dieselben Festplatten";
    RekeyDeep = "New key, disks written anew", "Nouvelle clé, disques réécrits", "Neuer Schlüssel, Festplatten neu geschrieben";
    Decrypt = "Decrypt", "Déchiffrer", "Entschlüsseln";
    State = "State", "État", "Stand";
    Waiting = "Waiting", "En attente", "Wartet";
    Working = "Running", "En cours", "Läuft";
    Completed = "Completed", "Terminée", "Abgeschlossen";
    Failed = "Failed; everything is as it was", "Échouée ; tout est comme avant", "Gescheitert; alles ist wie vorher";
    GoingBack = "Being undone", "En cours d’annulation", "Wird rückgängig gemacht";
    Progress = "Progress", "Progression", "Fortschritt";
    Reason = "Reason", "Raison", "Grund";
    AskedBy = "Asked for by", "Demandée par", "Veranlasst von";
    Begun = "Begun", "Début", "Beginn";
    NoActivities = "Nothing has happened yet.", "Rien ne s’est encore passé.", "Noch ist nichts geschehen.";
    BackToMachine = "To the virtual machine", "Vers la machine virtuelle", "Zur virtuellen Maschine";
    WhichKey = "Which key protects which machine", "Quelle clé protège quelle machine", "Welcher Schlüssel welche Maschine schützt";
    NoKeys = "No machine is encrypted yet.", "Aucune machine n’est encore chiffrée.", "Noch ist keine Maschine verschlüsselt.";
    KeyState = "State of the key", "État de la clé", "Zustand des Schlüssels";
    AuditLog = "Audit log of the key domain", "Journal d’audit du domaine de clés", "Protokoll der Schlüsseldomäne";
    AuditIntro = "Every use of a key leaves a record in a tamper-evident log. These are the newest; the download has all of them with proofs, to be verified offline.",
        "Chaque usage d’une clé laisse une trace dans un journal inviolable. Voici les plus récentes ; le téléchargement les contient toutes avec leurs preuves, vérifiables hors ligne.",
        "Jeder Gebrauch eines Schlüssels hinterlässt einen Eintrag in einem fälschungssicheren Protokoll. Dies sind die neuesten; die Datei enthält alle mit Beweisen und lässt sich ohne uns prüfen.";
    Download = "Download the proofs", "Télécharger les preuves", "Beweise herunterladen";
    NoKeyService = "The key service cannot be reached now; nothing is lost by that.",
        "Le service de clés est injoignable pour le moment ; rien n’est perdu pour autant.",
        "Der Schlüsseldienst ist gerade nicht erreichbar; verloren geht dadurch nichts.";
    Time = "Time", "Heure", "Zeit";
    Operation = "Operation", "Opération", "Vorgang";
    Object = "Object", "Objet", "Objekt";
    Who = "Who", "Qui", "Wer";
    Outcome = "Outcome", "Résultat", "Ergebnis";
    NotFound = "There is no such page, or none that you may see.", "Cette page n’existe pas, ou ne vous est pas visible.",
        "Diese Seite gibt es nicht, oder Sie dürfen sie nicht sehen.";
    Forbidden = "You lack a permission for this.", "Il vous manque une permission.", "Dafür fehlt Ihnen eine Berechtigung.";
    TryAgain = "Something went wrong; nothing has changed. Try again.",
        "Une erreur est survenue ; rien n’a changé. Réessayez.", "Etwas ging schief; geändert hat sich nichts. Versuchen Sie es noch einmal.";
    Tokens = "Access tokens", "Jetons d’accès", "Zugangs-Token";
    TokensIntro = "A personal access token gets a program short-lived tokens for the REST API, in your name and with no more than you may do now.",
        "Un jeton personnel procure à un programme des jetons de courte durée pour l’API REST, en votre nom et sans plus de droits que les vôtres.",
        "Mit einem persönlichen Token bekommt ein Programm kurzlebige Token für die REST-API, in Ihrem Namen und mit nicht mehr Rechten als Ihren jetzigen.";
    TokenMade = "Here is the new token", "Voici le nouveau jeton", "Hier ist das neue Token";
    TokenOnce = "It is shown this once and kept nowhere: copy it now.",
        "Il n’est affiché qu’une fois et n’est conservé nulle part : copiez-le maintenant.",
        "Es wird nur dieses eine Mal gezeigt und nirgends aufbewahrt: Kopieren Sie es jetzt.";
    TokenName = "What is it for?", "À quoi sert-il ?", "Wofür ist es?";
    TokenNameWrong = "A token wants a name of 1 to 256 characters.", "Un jeton veut un nom de 1 à 256 caractères.",
        "Ein Token braucht einen Namen mit 1 bis 256 Zeichen.";
    TokenDaysWrong = "A token lives from 1 to 366 days.", "Un jeton vit de 1 à 366 jours.", "Ein Token lebt 1 bis 366 Tage.";
    TooManyTokens = "You have as many tokens as one may have: forget one first.",
        "Vous avez déjà le nombre maximal de jetons : oubliez-en un d’abord.",
        "Mehr Token kann man nicht haben: Verwerfen Sie zuerst eines.";
    Days = "Days", "Jours", "Tage";
    Reach = "It may", "Il peut", "Es darf";
    ReachAll = "do what I may do", "faire ce que je peux faire", "tun, was ich darf";
    ReachRead = "only look", "seulement consulter", "nur nachsehen";
    MakeToken = "Make a token", "Créer un jeton", "Token erstellen";
    GoodUntil = "Good until", "Valable jusqu’au", "Gültig bis";
    Permissions = "Permissions", "Permissions", "Berechtigungen";
    Forget = "Forget", "Oublier", "Verwerfen";
    NoTokens = "You have no token.", "Vous n’avez aucun jeton.", "Sie haben kein Token.";
    NoAdministrator = "This page is for administrators of the key service, each with their own certificate.",
        "Cette page est réservée aux administrateurs du service de clés, chacun avec son certificat.",
        "Diese Seite ist für Administratoren des Schlüsseldienstes, jeder mit seinem Zertifikat.";
    KeyService = "Key service", "Service de clés", "Schlüsseldienst";
    Health = "Health", "Santé", "Gesundheit";
    Node = "Node", "Nœud", "Knoten";
    Version = "Version", "Version", "Version";
    Started = "Started", "Démarré", "Gestartet";
    HsmMembers = "HSM members by zone", "Membres HSM par zone", "HSM-Mitglieder je Zone";
    RootOfTrust = "Root of Trust", "Racine de confiance", "Vertrauensanker";
    Zone = "Zone", "Zone", "Zone";
    Opened = "Opened", "Ouverts", "Geöffnet";
    Sealed = "Sealed", "Scellés", "Versiegelt";
    Failures = "Failed calls", "Appels en échec", "Gescheiterte Aufrufe";
    KeyDomains = "Key domains", "Domaines de clés", "Schlüsseldomänen";
    Objects = "Objects", "Objets", "Objekte";
    Clients = "Clients", "Clients", "Clients";
    Policy = "Policy", "Politique", "Richtlinie";
    DomainKey = "Domain Key", "Clé de domaine", "Domänenschlüssel";
    Rotating = "rotating from", "rotation depuis", "wird gewechselt von";
    WaitingForOfficers = "Waiting for security officers", "En attente des officiers de sécurité", "Wartet auf Sicherheitsbeauftragte";
    NothingWaits = "Nothing waits for an approval.", "Rien n’attend d’approbation.", "Nichts wartet auf eine Zustimmung.";
    Approvals = "Approvals", "Approbations", "Zustimmungen";
    Until = "Until", "Jusqu’au", "Bis";
    BackToDashboard = "To the dashboard", "Vers le tableau de bord", "Zur Übersicht";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_in_every_language() {
        for text in Text::ALL {
            for language in Language::ALL {
                assert!(!text.in_language(language).trim().is_empty(), "{text:?}");
            }
        }
    }

    #[test]
    fn a_browser_gets_the_first_language_that_it_accepts() {
        assert_eq!(Language::accepted("es, de-CH;q=0.9, fr;q=0.8"), Some(Language::German));
        assert_eq!(Language::accepted("fr-FR,fr;q=0.9,en;q=0.8"), Some(Language::French));
        assert_eq!(Language::accepted("es"), None);
    }
}
