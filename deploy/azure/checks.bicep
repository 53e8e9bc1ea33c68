// What the texts of main.bicep's parameters must be, and the sentences for those that are not. Bicep has no regular
// expressions. `fail` stands in the variables of main.bicep.

@export()
@description('The items of a list without the empty ones.')
func itemsOf(texts string[]) string[] => filter(map(texts, text => trim(text)), text => !empty(text))

func digits() string[] => split('0 1 2 3 4 5 6 7 8 9', ' ')

func letters() string[] => split('a b c d e f g h i j k l m n o p q r s t u v w x y z', ' ')

func hexMarks() string[] => split('a b c d e f -', ' ')

@description('What is left of a text without these characters.')
func without(text string, marks string[]) string => reduce(marks, text, (rest, mark) => replace(rest, mark, ''))

@description('Whether a text has digits, lower-case letters and one more character, and no other.')
func isPlain(text string, more string) bool => empty(without(text, concat(letters(), digits(), [more])))

func hasLength(text string, least int, most int) bool => length(text) >= least && length(text) <= most

// With such a name an account's queue bears it too: adapters/job_queue.py.
func isAccountName(name string) bool => hasLength(name, 1, 31) && isPlain(name, '-') && !contains('-${name}-', '--')

func isStorageName(name string) bool => hasLength(name, 3, 24) && isPlain(name, '0')

// With skip and join instead of last, which the compiler takes for a value that may be null.
func after(parts string[]) string => join(skip(parts, 1), '/')

// The parts of STORAGE@GROUP.
func isStorageInGroup(parts string[]) bool => length(parts) == 2 && isStorageName(parts[0]) && !empty(after(parts))

// The parts of NAME or NAME=STORAGE@GROUP.
func isStorage(parts string[]) bool => length(parts) == 1 || isStorageInGroup(split(after(parts), '@'))

@export()
@description('An account: its name, and storage that exists where the text names one.')
func isAccount(parts string[]) bool => length(parts) < 3 && isAccountName(parts[0]) && isStorage(parts)

@export()
@description('The sentence for a text that is no account.')
func refuseAccount(text string) string =>
  'PROXY_ACCOUNTS has \'${text}\': an account is 1 to 31 lower-case letters, digits and single dashes, like main; where its storage exists already, = and STORAGE@GROUP follow, like archive=stcontosodata@rg-data. Commas stand between accounts.'

@export()
@description('An object id of Entra.')
func isObjectId(text string) bool =>
  length(text) == 36 && length(split(text, '-')) == 5 && empty(without(toLower(text), concat(digits(), hexMarks())))

@export()
@description('The sentence for a text that is no object id.')
func refuseOperator(text string) string =>
  'PROXY_OPERATORS has \'${text}\': an operator is an object id of Entra, like 00000000-0000-0000-0000-000000000000. Commas stand between them.'

@export()
@description('The sentence for a text that is no object id.')
func refusePrincipal(text string) string =>
  'PROXY_CONSOLE_PRINCIPALS has \'${text}\': each one that may sign in at the console is an object id of Entra, of a person or a group, like 00000000-0000-0000-0000-000000000000. Commas stand between them.'

func isNumber(text string) bool => hasLength(text, 1, 3) && empty(without(text, digits()))

// A call with a text that is no number would end the deployment with a sentence of Azure's own.
func isNumberUpTo(text string, most int) bool => isNumber(text) ? int(text) <= most : false

@export()
@description('An IPv4 address: its parts between the dots.')
func isAddress(parts string[]) bool => length(parts) == 4 && empty(filter(parts, part => !isNumberUpTo(part, 255)))

// The firewall of storage refuses these.
func privateNetworks() string[] => concat(['192.168'], map(range(16, 16), number => '172.${number}'))

func isPrivate(parts string[]) bool => parts[0] == '10' || contains(privateNetworks(), join(take(parts, 2), '.'))

func isPublic(parts string[]) bool => isAddress(parts) && !isPrivate(parts)

// It takes neither /31 nor /32.
func isMask(parts string[]) bool => length(parts) == 1 || isNumberUpTo(after(parts), 30)

@export()
@description('An address or a network that the firewall of storage takes: the parts before and after the slash.')
func isClientNetwork(parts string[]) bool => length(parts) < 3 && isMask(parts) && isPublic(split(parts[0], '.'))

@export()
@description('The sentence for a text that is no such network.')
func refuseNetwork(text string) string =>
  'PROXY_CLIENT_NETWORKS has \'${text}\': a network is a public IPv4 address, like 203.0.113.7, or one with a prefix of at most 30, like 203.0.113.0/24. Commas stand between networks.'

@export()
@description('The sentence for a text that is no setting.')
func refuseSetting(text string) string =>
  'PROXY_SETTINGS has \'${text}\': a setting is NAME=VALUE, like PROXY_LOG_LEVEL=warning. Semicolons stand between settings.'
