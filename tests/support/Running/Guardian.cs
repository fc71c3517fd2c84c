using System.Diagnostics;

namespace Entrepot.TestSupport.Running;

/// <summary>
/// Ends every process and removes every folder of a test run, also when the test host is killed: a shell that holds the read end
/// of a pipe and acts when that pipe closes. A ProcessExit handler is not enough, for the test platform may kill its host.
/// </summary>
internal static class Guardian
{
    private const string Script = """
        exec >/dev/null 2>&1
        trap '' INT HUP TERM
        while read -r sign value; do
          case $sign in
            +) watched="$watched $value" ;;
            -) kept=; for p in $watched; do [ "$p" = "$value" ] || kept="$kept $p"; done; watched=$kept ;;
            /) folder=$value ;;
          esac
        done
        # signal NAME ID:STARTED: to that very process (its start is field 22 of proc(5), the 20th behind its name) if it still runs
        signal() {
          read -r stat <"/proc/${2%:*}/stat" || return
          set -- "$1" "$2" ${stat##*) }
          [ "$3" != Z ] && [ "${2#*:}" = "${22}" ] && kill -s "$1" "${2%:*}"
        }
        for p in $watched; do signal TERM "$p"; done
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
          left=; for p in $watched; do signal 0 "$p" && left="$left $p"; done
          [ -n "$left" ] || break
          sleep 0.25
        done
        for p in $left; do signal KILL "$p"; done
        [ -z "$folder" ] || rm -rf --one-file-system "$folder"
        """;

    private static readonly Lock Gate = new();
    private static Process? _shell;

    public static void Watch(ProcessIdentity process) => Tell('+', process.ToString());

    public static void Forget(ProcessIdentity process) => Tell('-', process.ToString());

    public static void RemoveAtEnd(string folder) => Tell('/', folder);

    private static void Tell(char sign, string value)
    {
        lock (Gate)
        {
            _shell ??= Start();
            _shell.StandardInput.Write($"{sign} {value}\n");
            _shell.StandardInput.Flush();
        }
    }

    internal static Process Start()
    {
        var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true, UseShellExecute = false };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Script);
        return Process.Start(start) ?? throw new InvalidOperationException("/bin/sh did not start.");
    }
}
