/**
 * The program that plays the steps of a reproducer: starts one process for each actor, keeps the order that the
 * case asks for, prints every answer, and says at the end whether they are those of the report. It is given
 * ACTOR (the actors' program), ACTORS, STEPS and the words of the report.
 */
export const playerProgram = String.raw`
HOSTDIR, GUESTDIR = os.environ["HOSTDIR"], os.environ["GUESTDIR"]
OTHERDIR = os.environ.get("OTHERDIR", GUESTDIR)
GUEST, GUEST2 = shlex.split(os.environ["GUEST"]), shlex.split(os.environ.get("GUEST2", ""))
PYTHON = os.environ.get("GUEST_PYTHON", "python3")
WORK = "vfs-repro-%d-%d" % (os.getpid(), time.time())
VIEWS = {"host": ([], HOSTDIR), "guest": (GUEST, GUESTDIR), "guest-other-tag": (GUEST, OTHERDIR), "guest2": (GUEST2, GUESTDIR)}

class Actor:
    def __init__(self, view):
        way, directory = VIEWS[view]
        root = directory + "/" + WORK
        line = "%s -c %s %s" % (PYTHON if way else "python3", shlex.quote(ACTOR), shlex.quote(root))
        self.process = subprocess.Popen(way + [line] if way else ["sh", "-c", "exec " + line],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answers = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.answers.put(json.loads(line))
        self.answers.put({"gone": "the process ended with status %s" % self.process.wait()})

    def ask(self, op, limit):
        try:
            self.process.stdin.write((json.dumps(op) + "\n").encode())
            self.process.stdin.flush()
            return self.answers.get(timeout=limit)
        except queue.Empty:
            return {"stuck": "no answer within %d s" % limit}
        except OSError:
            return {"gone": "the process ended"}

    def end(self):
        try:
            self.process.stdin.close()
            self.process.wait(5)
        except Exception:
            self.process.kill()

os.mkdir(os.path.join(HOSTDIR, WORK))
os.chmod(os.path.join(HOSTDIR, WORK), 0o777)
actors = {name: Actor(view) for name, view in ACTORS.items()}
begun = {step["id"]: threading.Event() for step in STEPS}
ended = {step["id"]: threading.Event() for step in STEPS}
results, said = {}, threading.Lock()

def play(name):
    lost = False
    for step in [each for each in STEPS if each["actor"] == name]:
        for other, has in step["after"]:
            (begun if has == "begun" else ended)[other].wait()
            time.sleep(0.1 if has == "begun" else 0)
        begun[step["id"]].set()
        result = {"not run": "an earlier step failed"} if lost else actors[name].ask(step["op"], step["limit"])
        results[step["id"]] = result
        lost = lost or not ("value" in result or ("errno" in result and step["mayFail"]))
        with said:
            print("%-16s %-28s %s" % (name, step["id"], step["op"]["do"]))
            print("    asked %s" % short(json.dumps(step["op"])))
            print("    got   %s" % short(json.dumps(result)))
        ended[step["id"]].set()

def short(text):
    return text if len(text) <= 400 else text[:400] + " ..."

threads = [threading.Thread(target=play, args=(name,)) for name in actors]
for each in threads:
    each.start()
for each in threads:
    each.join()
for each in actors.values():
    each.end()
shutil.rmtree(os.path.join(HOSTDIR, WORK), ignore_errors=True)

def picked(result, like):
    """Of a result, what the report has of it."""
    if isinstance(like, dict):
        return {name: picked(result.get(name), value) for name, value in like.items()} if isinstance(result, dict) else result
    if isinstance(like, list):
        return [picked(a, b) for a, b in zip(result, like)] if isinstance(result, list) and len(result) == len(like) else result
    return result

same, other = [], []
for step in STEPS:
    if step["reported"] is not None:
        (same if picked(results[step["id"]], step["reported"]) == step["reported"] else other).append(step["id"])
print()
print("promised:  " + PROMISED)
print("           (" + "; ".join(SOURCES) + ")")
print("observed:  " + OBSERVED)
print()
if other:
    print("this time %d of %d answers are those of the report; these are not:" % (len(same), len(same) + len(other)))
    for name in other:
        step = [each for each in STEPS if each["id"] == name][0]
        print("    %s: reported %s" % (name, short(json.dumps(step["reported"]))))
        print("    %s  this time %s" % (" " * len(name), short(json.dumps(picked(results[name], step["reported"])))))
    sys.exit(0)
print("this time too: all %d answers are those of the report" % len(same))
sys.exit(1)
`.trimStart();
