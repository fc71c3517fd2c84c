using System.Runtime.InteropServices;
using System.Runtime.Loader;

namespace Entrepot.Metadata.Sqlite;

/// <summary>
/// Binds Microsoft.Data.Sqlite to the SQLitePCLRaw 2.0.6 and the native library that are there. Must run before anything else of SQLite.
/// Microsoft.Data.Sqlite asks for SQLitePCLRaw.core 2.1; the binder refuses 2.0.6 but then raises Resolving, and every member it uses exists there.
/// </summary>
internal static class SqliteBoot
{
    private static readonly Lock Gate = new();
    private static bool _done;

    /// <summary>Idempotent, callable from any thread.</summary>
    public static void Init()
    {
        lock (Gate)
        {
            if (_done) return;
            AssemblyLoadContext.Default.Resolving += static (context, name) => name.Name == "SQLitePCLRaw.core"
                ? AppDomain.CurrentDomain.GetAssemblies().FirstOrDefault(a => a.GetName().Name == name.Name)
                    ?? context.LoadFromAssemblyPath(Path.Combine(AppContext.BaseDirectory, "SQLitePCLRaw.core.dll"))
                : null;
            SetProvider();
            _done = true;
        }
    }

    /// <summary>A method of its own: its types must be seen by the JIT only after the hook is in place.</summary>
    private static void SetProvider()
    {
        // The system's library gets security updates with the system; the packaged one makes standalone run without any install.
        NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, static (name, assembly, path) =>
            name == "e_sqlite3" && NativeLibrary.TryLoad("libsqlite3.so.0", assembly, path, out var handle) ? handle : 0);
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
    }
}
