# A silo that uses a PostgreSQL of its own elsewhere: set ConnectionStrings__Coordinator. See compose.yaml.
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish Coordinator.Silo -c Release -o /program

FROM mcr.microsoft.com/dotnet/aspnet:10.0
WORKDIR /program
COPY --from=build /program .
VOLUME /data
EXPOSE 7400 7500
ENTRYPOINT ["dotnet", "Coordinator.Silo.dll"]
