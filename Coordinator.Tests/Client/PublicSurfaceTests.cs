using System.Reflection;
using System.Runtime.CompilerServices;
using Coordinator.Client;
using Coordinator.Tests.Architecture;

namespace Coordinator.Tests.Client;

/// <summary>
/// What users of the client can write, as a text that is kept beside this test: a change of it is a change of their code,
/// and should be seen as one.
/// </summary>
public sealed class PublicSurfaceTests
{
    [Fact]
    public void The_public_surface_is_the_one_that_is_written_down()
    {
        string path = System.IO.Path.Combine(RepositoryRoot.Path, "Coordinator.Tests", "Client", "PublicSurface.txt");
        string actual = Describe(typeof(CoordinatorClient).Assembly);

        string expected = File.ReadAllText(path).ReplaceLineEndings("\n");

        Assert.True(expected == actual, $"{path} differs from the public surface, which is now:\n{actual}");
    }

    private static string Describe(Assembly assembly)
    {
        var lines = new List<string>();
        // What only a build with Orleans has is not written down.
        foreach (Type type in assembly.GetExportedTypes()
            .Where(type => type.Namespace is { } space && space.StartsWith("Coordinator.Client", StringComparison.Ordinal)
                && space != "Coordinator.Client.Orleans")
            .OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            lines.Add($"{Kind(type)} {Name(type)}{Base(type)}");
            const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance
                | BindingFlags.Static | BindingFlags.DeclaredOnly;
            lines.AddRange(type.GetMembers(Declared)
                .Where(member => !member.IsDefined(typeof(CompilerGeneratedAttribute)))
                .Select(Describe)
                .OfType<string>()
                .Order(StringComparer.Ordinal)
                .Select(member => "    " + member));
        }
        return string.Join('\n', lines) + "\n";
    }

    /// <summary>Null: not for users.</summary>
    private static string? Describe(MemberInfo member) => member switch
    {
        ConstructorInfo constructor when IsVisible(constructor) => $"{Access(constructor)}new({Parameters(constructor)})",
        MethodInfo { IsSpecialName: false } method when IsVisible(method) && !method.Name.Contains('<', StringComparison.Ordinal) =>
            $"{Access(method)}{Name(method.ReturnType)} {method.Name}({Parameters(method)})",
        PropertyInfo property when property.GetMethod is { } get && IsVisible(get) =>
            $"{Access(get)}{Name(property.PropertyType)} {property.Name}{(property.SetMethod is { } set && IsVisible(set) ? " { get; set; }" : " { get; }")}",
        EventInfo { AddMethod: { } add } happening when IsVisible(add) => $"event {Name(happening.EventHandlerType!)} {happening.Name}",
        FieldInfo { IsPublic: true, IsSpecialName: false } field => $"{Name(field.FieldType)} {field.Name}",
        _ => null,
    };

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Access(MethodBase method) =>
        (method.IsPublic ? "" : "protected ") + (method.IsStatic ? "static " : "") + (method is { IsVirtual: true, IsFinal: false } ? "virtual " : "");

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + (parameter.DefaultValue ?? "default") : "")}"));

    private static string Kind(Type type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct"
        : type is { IsAbstract: true, IsSealed: true } ? "static class" : type.IsSealed ? "sealed class" : "class";

    private static string Base(Type type) =>
        type is { IsClass: true, BaseType: { } parent } && parent != typeof(object) ? $" : {Name(parent)}" : "";

    private static string Name(Type type)
    {
        if (Nullable.GetUnderlyingType(type) is { } underlying)
            return Name(underlying) + "?";
        if (type.IsArray)
            return Name(type.GetElementType()!) + "[]";
        string name = type.IsNested ? $"{type.DeclaringType!.Name}.{type.Name}" : type.Name;
        return type.IsGenericType
            ? $"{name[..name.IndexOf('`', StringComparison.Ordinal)]}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>"
            : name;
    }
}
