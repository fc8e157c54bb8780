/**
 * The program that plays the steps of a reproducer: starts one process for each actor, keeps the order that the
 * case asks for, prints every answer, and says at the end whether they are those of the report. Before that it
 * plays the same steps as a control, all actors on the host: what a local file system answers. It is given ACTOR
 * (the actors' program), ACTORS, STEPS and the words of the report.
 */
export const playerProgram = String.raw`
HOSTDIR, GUESTDIR = os.environ["HOSTDIR"], os.environ["GUESTDIR"]
OTHERDIR = os.environ.get("OTHERDIR", GUESTDIR)
GUEST, GUEST2 = shlex.split(os.environ["GUEST"]), shlex.split(os.environ.get("GUEST2", ""))
PYTHON = os.environ.get("GUEST_PYTHON", "python3")
VIEWS = {"host": ([], HOSTDIR), "guest": (GUEST, GUESTDIR), "guest-other-tag": (GUEST, OTHERDIR), "guest2": (GUEST2, GUESTDIR),
         "guest-without-dax": (GUEST, os.environ.get("CONTROLDIR", GUESTDIR))}

class Actor:
    def __init__(self, view, work):
        way, directory = VIEWS[view]
        root = directory + "/" + work
        # The program comes over standard input: some ssh servers take no long command lines.
        first = "import sys; f = sys.stdin.buffer; exec(f.read(int(f.readline())))"
        line = "%s -c %s %s" % (PYTHON if way else "python3", shlex.quote(first), shlex.quote(root))
        self.process = subprocess.Popen(way + [line] if way else ["sh", "-c", "exec " + line],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        program = ACTOR.encode()
        self.process.stdin.write(b"%d\n%s" % (len(program), program))
        self.process.stdin.flush()
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

def short(text):
    return text if len(text) <= 400 else text[:400] + " ..."

def play_all(actors_on, quiet):
    work = "vfs-repro-%d-%d" % (os.getpid(), time.time_ns())
    os.mkdir(os.path.join(HOSTDIR, work))
    os.chmod(os.path.join(HOSTDIR, work), 0o777)
    actors = {name: Actor(view, work) for name, view in actors_on.items()}
    for name, actor in actors.items():
        # Python may take long to start in an emulated guest.
        if actor.answers.get(timeout=180) != {}:
            sys.exit("the actor %s did not start: see GUEST and GUEST_PYTHON" % name)
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
                if not quiet:
                    print("%-16s %-28s %s" % (name, step["id"], step["op"]["do"]))
                    print("    asked %s" % short(json.dumps(step["op"])))
                    print("    got   %s" % short(json.dumps(result)))
            ended[step["id"]].set()

    threads = [threading.Thread(target=play, args=(name,)) for name in actors]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    for each in actors.values():
        each.end()
    shutil.rmtree(os.path.join(HOSTDIR, work), ignore_errors=True)
    return results

def picked(result, like):
    """Of a result, what the report has of it."""
    if isinstance(like, dict):
        return {name: picked(result.get(name), value) for name, value in like.items()} if isinstance(result, dict) else result
    if isinstance(like, list):
        return [picked(a, b) for a, b in zip(result, like)] if isinstance(result, list) and len(result) == len(like) else result
    return result

print("--- control: all actors on the host ---", flush=True)
control = play_all({name: "host" for name in ACTORS}, True)
print("--- on the share ---", flush=True)
results = play_all(ACTORS, False)

print()
print("promised:  " + PROMISED)
print("           (" + "; ".join(SOURCES) + ")")
print("observed:  " + OBSERVED)
print()
hung = [step["id"] for step in STEPS if step["hung"]]
for name in hung:
    if "stuck" in control[name]:
        print("it does not end on a local file system either: %s" % name)
        sys.exit(2)
if hung and all("stuck" in results[name] for name in hung):
    print("reproduced: it does not end, as in the report: " + ", ".join(hung))
    sys.exit(1)
if any(set(each) & {"stuck", "gone", "not run"} for each in results.values()):
    print("it could not be played to its end")
    sys.exit(2)
told = [step for step in STEPS if step["reported"] is not None]
differed, differs = [], []
for step in told:
    reported, name = step["reported"], step["id"]
    local, now = picked(control[name], reported), picked(results[name], reported)
    if reported != local:
        differed.append(name)
    if now != local:
        differs.append(name)
    if now != local or now != reported:
        print(name)
        print("    local file system  " + short(json.dumps(local)))
        print("    in the report      " + short(json.dumps(reported)))
        print("    this time          " + short(json.dumps(now)))
same = not hung and all(picked(results[step["id"]], step["reported"]) == step["reported"] for step in told)
if same or set(differed) & set(differs):
    print("reproduced: " + ("every answer is that of the report" if same else
                            "it differs from a local file system where the report does"))
    sys.exit(1)
print("not reproduced this time")
`.trimStart();
